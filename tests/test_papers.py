"""The recomputations A1 to A11 (language models): the print, the arithmetic, our notes."""

import math
import re
from statistics import fmean

import numpy as np
import pytest
from papers_said import assert_said, row, slip_at

from lecture10 import audit, papers

T5, SIZES, MIX = (papers.table(name) for name in ("gpt1_table5", "gpt3_table2_1", "gpt3_table2_2"))
GLUE = list(T5.columns[2:])
WEIGHT, EPOCHS = "Weight in training mix", "Epochs elapsed when training for 300B tokens"
FULL, BARE, NO_AUX, LSTM = T5[GLUE].to_numpy()


# A1–A3: GPT-1, Table 5


def test_a1_three_averages_are_right_and_the_lstm_s_is_not():
    means = [fmean(scores) for scores in (FULL, BARE, NO_AUX, LSTM)]
    assert means == pytest.approx([74.650, 59.925, 75.025, 69.1625])
    assert [audit.rounded(mean) for mean in means] == [74.7, 59.9, 75.0, 69.2]
    assert T5["Avg. Score"].tolist() == [74.7, 59.9, 75.0, 69.1]
    assert slip_at("gpt1_table5", "LSTM w/ aux LM", "Avg. Score").should_be == "69.2"


def test_a1_the_two_headline_differences_are_of_rounded_averages():
    lstm, bare = fmean(FULL) - fmean(LSTM), fmean(FULL) - fmean(BARE)
    assert (audit.rounded(lstm, 2), audit.rounded(bare, 3)) == (5.49, 14.725)
    assert (round(74.7 - 69.1, 1), round(74.7 - 59.9, 1)) == (5.6, 14.8)
    assert audit.rounded(100 * bare / fmean(FULL)) == 19.7
    assert_said("gpt1_table5", "74.650", "69.1625", "5.49", "5.6")


def test_a2_without_the_auxiliary_objective_the_average_is_higher():
    gains = dict(zip(GLUE, np.round(FULL - NO_AUX, 1), strict=True))
    assert list(gains.values()) == [-2.5, -0.7, -2.6, -1.2, 0.5, 0.7, 1.2, 1.6]
    assert [task.split()[0] for task, gain in gains.items() if gain > 0] == ["QQP", "MNLI", "QNLI", "RTE"]
    assert fmean(NO_AUX) > fmean(FULL)
    assert_said("gpt1_table5", "75.0", "74.7", "QQP, MNLI, QNLI and RTE")


def test_a3_the_lstm_beats_the_full_model_on_mrpc_only():
    assert [task for task, ours, lstm in zip(GLUE, FULL, LSTM, strict=True) if lstm > ours] == ["MRPC (F1)"]
    assert {re.search(r"\((.+)\)", task)[1] for task in GLUE} == {"mc", "acc", "F1", "pc"}
    assert_said("gpt1_table5", "83.2", "82.3")


# A4: GPT-1's formulas


def test_a4_an_index_that_occurs_nowhere():
    line = row("formulas", "gpt1_forward")["Text"]
    assert line.count("i \\in") == 1
    assert "_i" not in line
    assert "h_{l-1}" in line
    assert "h_l^m" in row("formulas", "gpt1_head")["Text"]
    assert_said("formulas", "∀ l ∈ [1, n]", "softmax(h_n^m W_y)", "0.5")


# A5: BERT on SWAG


def test_a5_a_hundred_samples_do_not_tell_bert_from_an_expert():
    large = row("bert_swag", "BERT_LARGE")["Test"]
    for key, low, high in (("Human (expert)†", 76.7, 90.7), ("Human (5 annotations)†", 80.2, 93.0)):
        share = row("bert_swag", key)["Test"] / 100
        interval = [audit.rounded(100 * end) for end in audit.wilson(share, 100)]
        assert interval == [low, high]
        assert low < large < high
        assert_said("bert_swag", f"{low}–{high}")
    gains = [large - row("bert_swag", other)["Test"] for other in ("OpenAI GPT", "ESIM+GloVe", "ESIM+ELMo")]
    assert gains == pytest.approx([8.3, 33.6, 27.1])


def test_a5_two_rows_share_no_column():
    base, gpt = row("bert_swag", "BERT_BASE"), row("bert_swag", "OpenAI GPT")
    assert math.isnan(base["Test"])
    assert math.isnan(gpt["Dev"])


# A6: the sizes slide


def test_a6_sizes_from_the_architectures():
    counts = {
        "GPT-1": audit.gpt_parameters(**audit.GPT1),
        "BERT": audit.bert_parameters(**audit.BERT_LARGE),
        "GPT-2": audit.gpt_parameters(**audit.GPT2_XL),
        "GPT-3": audit.gpt_parameters(96, 12288, **audit.GPT3_TEXT),
    }
    ratios = {key: count / row("gpt_sizes", key)["Parameters"] for key, count in counts.items()}
    assert ratios == pytest.approx({"GPT-1": 1.165, "BERT": 1.117, "GPT-2": 1.113, "GPT-3": 0.998}, abs=6e-4)
    digits = {"GPT-1": 0, "BERT": 0, "GPT-2": 1, "GPT-3": 2}  # decimals of the printed mantissas
    wrong = [
        key
        for key, n in digits.items()
        if f"{counts[key]:.{n}e}" != f"{row('gpt_sizes', key)['Parameters']:.{n}e}"
    ]
    assert wrong == ["GPT-2"]
    assert f"{counts['GPT-2'] / 1e9:.3f}" == "1.558"
    assert_said("gpt_sizes", "1.558", "∼1.6×10⁹", "335 M", "109.5 M", "116.5 M")
    assert slip_at("gpt_sizes", "GPT-2", "Parameters").owner == "slide"


# A7: GPT-3, Table 2.1


def counts_of_table2_1() -> list[float]:
    return [
        audit.gpt_parameters(layers, width, **audit.GPT3_TEXT) / 1e6
        for layers, width in SIZES[["n_layers", "d_model"]].to_numpy()
    ]


def test_a7_heads_times_their_width_is_not_the_width_in_two_rows():
    odd = SIZES[SIZES["n_heads"] * SIZES["d_head"] != SIZES["d_model"]]
    assert odd["Model Name"].tolist() == ["GPT-3 XL", "GPT-3 13B"]
    assert (odd["n_heads"] * odd["d_head"]).tolist() == [3072, 5120]
    assert 2048 == 16 * 128
    assert 5140 % 128
    assert slip_at("gpt3_table2_1", "GPT-3 XL", "n_heads").should_be == "16"
    assert slip_at("gpt3_table2_1", "GPT-3 13B", "d_model").should_be == "5120"


def test_a7_parameter_counts_by_architecture():
    computed = counts_of_table2_1()
    assert computed == pytest.approx(
        [125.2, 355.9, 760.3, 1315.7, 2651.6, 6658.4, 12952.9, 174604.3], abs=0.05
    )
    off = []
    for name, text, millions in zip(
        SIZES["Model Name"], SIZES.attrs["printed"]["n_params"], computed, strict=True
    ):
        value = millions / (1000 if text.endswith("B") else 1)
        off += [name] * (not audit.could_print(value, value, text[:-1]))
    assert off == ["GPT-3 Medium", "GPT-3 175B or “GPT-3”"]
    assert_said("gpt3_table2_1", "355.9", "174.6", "1.316")


def test_a7_only_5140_throughout_rounds_to_the_printed_13_billion():
    in_billions = {
        (width, inner): audit.gpt_parameters(40, width, inner=inner, **audit.GPT3_TEXT) / 1e9
        for width, inner in ((5120, 5120), (5140, 5120), (5140, 5140))
    }
    assert list(in_billions.values()) == pytest.approx([12.853, 12.936, 12.953], abs=6e-4)
    assert [audit.rounded(count) for count in in_billions.values()] == [12.9, 12.9, 13.0]
    assert_said("gpt3_table2_1", "12.85", "12.94", "12.95", "12.9B")


def test_a7_xl_with_its_printed_heads_would_have_a_half_billion_more():
    printed = audit.gpt_parameters(24, 2048, inner=24 * 128, **audit.GPT3_TEXT) / 1e9
    assert printed == pytest.approx(1.517, abs=5e-4)
    assert audit.rounded(printed) != 1.3
    assert_said("gpt3_table2_1", "1.517")


def test_a7_steps_tokens_and_embeddings():
    steps = 300e9 / SIZES["Batch Size"]
    assert (steps.iloc[0], steps.iloc[-1]) == (600_000, 93_750)
    per_parameter = 300e3 / np.array(counts_of_table2_1())
    assert (round(per_parameter[0]), round(per_parameter[-1], 1)) == (2396, 1.7)
    share = (50_257 + 2048) * SIZES["d_model"] / 1e6 / counts_of_table2_1() * 100
    assert (round(share.iloc[0]), round(share.iloc[-1], 1)) == (32, 0.4)
    assert_said("gpt3_table2_1", "2 396", "1.7", "32 %", "0.4 %")


# A8: GPT-3, Table 2.2


def test_a8_weights_and_sizes_add_up():
    assert MIX[WEIGHT].sum() == 101
    assert MIX["Quantity (tokens)"].sum() == 499e9
    oversampled = MIX[WEIGHT] / 100 / (MIX["Quantity (tokens)"] / 499e9)
    assert [round(value, 2) for value in oversampled] == [0.73, 5.78, 3.33, 0.73, 4.99]
    assert_said("gpt3_table2_2", "101 %")


def test_a8_epochs_from_weight_and_size():
    computed = audit.epochs(300e9, MIX[WEIGHT] / 100, MIX["Quantity (tokens)"])
    assert [round(value, 3) for value in computed] == [0.439, 3.474, 2.0, 0.436, 3.0]
    assert_said("gpt3_table2_2", ".44", "3.47", "2.00", "3.00", "3.5")


def test_a8_rounding_explains_every_epoch_but_webtext2_s():
    ranges = {
        name: audit.epochs_range(300, weight / 100, size / 1e9, 0.005, 0.5)
        for name, size, weight in MIX[["Dataset", "Quantity (tokens)", WEIGHT]].itertuples(index=False)
    }
    texts = papers.printed("gpt3_table2_2").set_index("Dataset")[EPOCHS]
    assert [name for name, ends in ranges.items() if not audit.could_print(*ends, texts[name])] == [
        "WebText2"
    ]
    assert [round(end, 2) for end in ranges["WebText2"]] == [3.31, 3.65]
    assert [round(end, 2) for end in ranges["Wikipedia"]] == [2.14, 4.2]
    assert_said("gpt3_table2_2", "3.31", "3.65", "21.5–22.5 %", "18.5–19.5")


def test_a8_weights_that_the_printed_epochs_imply():
    implied = MIX[EPOCHS] * MIX["Quantity (tokens)"] / 300e9 * 100
    assert [round(value, 1) for value in implied] == [60.1, 18.4, 7.6, 7.9, 3.4]
    assert (round(implied.sum(), 1), round(implied.sum() * 3)) == (97.4, 292)
    assert_said("gpt3_table2_2", "97.4 %", "292")


# A9: LAMBADA and its neighbours


def test_a9_one_example_is_worse_than_none_twice():
    frame = papers.table("gpt3_lambada").set_index("Setting")
    drop = frame.loc["GPT-3 One-Shot"] - frame.loc["GPT-3 Zero-Shot"]
    assert drop.round(2).to_dict() == {
        "LAMBADA (acc)": -3.7, "LAMBADA (ppl)": 0.35, "StoryCloze (acc)": 1.5, "HellaSwag (acc)": -0.8
    }  # fmt: skip
    few, zero, best = (
        frame.loc[key, "LAMBADA (acc)"] for key in ("GPT-3 Few-Shot", "GPT-3 Zero-Shot", "SOTA")
    )
    assert (round(few - best, 1), round(few - zero, 1)) == (18.4, 10.2)
    assert_said("gpt3_lambada", "10.2", "72.5", "76.2", "78.1", "78.9")


def test_a9_perplexity_as_a_probability():
    probabilities = [
        round(audit.probability(ppl), 3) for ppl in papers.table("gpt3_lambada")["LAMBADA (ppl)"]
    ]
    assert probabilities == [0.116, 0.333, 0.299, 0.521]
    assert_said("gpt3_lambada", *(f"{value:.3f}"[1:] for value in probabilities))


# A10: SuperGLUE


def superglue() -> dict[str, dict[str, float]]:
    frame = papers.table("gpt3_superglue").set_index("System")
    return frame.drop(columns="SuperGLUE Average").T.to_dict()


def test_a10_the_average_is_over_eight_tasks():
    eight = {system: audit.mean_over_tasks(scores) for system, scores in superglue().items()}
    assert [round(value, 2) for value in eight.values()] == [88.97, 69.03, 71.79]
    printed = papers.table("gpt3_superglue")["SuperGLUE Average"].tolist()
    assert [audit.rounded(value) for value in eight.values()] == printed
    plain = [audit.rounded(fmean(scores.values())) for scores in superglue().values()]
    assert plain == [88.7, 68.2, 71.1]
    assert_said("gpt3_superglue", "88.7", "68.2", "71.1")


def test_a10_four_tasks_of_eight():
    by_task = {}
    for system, scores in superglue().items():
        tasks = {heading.split()[0] for heading in scores}
        by_task[system] = {t: fmean(s for h, s in scores.items() if h.split()[0] == t) for t in sorted(tasks)}
    ours, bert = by_task["GPT-3 Few-Shot"], by_task["Fine-tuned BERT-Large"]
    assert {task: audit.rounded(ours[task] - bert[task], 2) for task in ours} == pytest.approx(
        {"BoolQ": -1.0, "CB": -15.85, "COPA": 21.4, "MultiRC": 5.9}
        | {"RTE": -2.7, "ReCoRD": 19.0, "WSC": 15.5, "WiC": -20.2}
    )
    rest = [
        audit.rounded(fmean(v for t, v in s.items() if t not in ("COPA", "ReCoRD"))) for s in (ours, bert)
    ]
    assert rest == [65.3, 68.3]
    assert_said("gpt3_superglue", "65.3", "68.3", "49.4", "COPA, ReCoRD, WSC, MultiRC")


# A11: the headline


def test_a11_a_hundred_trillion_is_571_times():
    text = row("statements", "gpt4_headline")["Text"]
    assert "100 Trillion" in text
    assert "500x" in text
    assert round(100e12 / row("gpt3_table2_1", "GPT-3 175B or “GPT-3”")["n_params"]) == 571
    assert_said("statements", "571")
