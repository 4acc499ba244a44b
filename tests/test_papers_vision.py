"""The recomputations A12 to A24 (vision with language): the print, the arithmetic, our notes."""

import math
import re

import numpy as np
import pytest
from papers_said import assert_said, row, slip_at

from lecture10 import audit, papers

ROBUST = papers.table("clip_robustness")


# A12: CLIP's robustness


def test_a12_deltas_and_means():
    base, clip = ROBUST["ImageNet ResNet101"], ROBUST["Zero-Shot CLIP"]
    assert np.round(clip - base, 1).tolist() == ROBUST["Δ Score"].tolist() == [0, 5.8, 51.2, 39.7, 35.0, 74.4]
    assert (round(base[1:].mean(), 1), round(clip[1:].mean(), 1)) == (32.5, 73.7)
    assert_said("clip_robustness", "32.5", "73.7")


def test_a12_share_of_the_gap_that_clip_closes():
    closed = [
        100 * audit.gap_closed(base, clip, 76.2)
        for base, clip in ROBUST[["ImageNet ResNet101", "Zero-Shot CLIP"]].to_numpy()[1:]
    ]
    assert [f"{share:.3g}" for share in closed] == ["48.7", "133", "91.1", "68.6", "101"]
    assert round(100 * audit.gap_closed(32.5, 73.72, 76.2)) == 94
    assert_said("clip_robustness", *(f"{share:.3g} %" for share in closed))


# A13: CLIP's pseudo-code


def test_a13_the_axes_carry_each_other_s_names_and_the_mean_does_not_care():
    logits = np.random.default_rng(0).normal(size=(6, 6)) * 3  # logits[image, text]
    images_pick, texts_pick = audit.cross_entropy(logits, axis=1), audit.cross_entropy(logits, axis=0)
    by_hand = [math.log(sum(map(math.exp, line))) - line[i] for i, line in enumerate(logits)]
    assert images_pick == pytest.approx(np.mean(by_hand))
    assert abs(images_pick - texts_pick) > 0.01
    assert audit.cross_entropy(logits.T, axis=1) == pytest.approx(texts_pick)
    both = [(audit.cross_entropy(x, 0) + audit.cross_entropy(x, 1)) / 2 for x in (logits, logits.T)]
    assert both[0] == pytest.approx(both[1])
    assert "axis=0" in row("formulas", "clip_loss_i")["Text"]
    assert "axis=1" in row("formulas", "clip_loss_t")["Text"]


def test_a13_t_is_a_logarithm():
    assert "np.exp(t)" in row("formulas", "clip_logits")["Text"]
    assert round(math.log(1 / 0.07), 3) == 2.659
    assert round(math.exp(2.659), 2) == 14.28  # 1 / 0.07 = 14.29
    assert_said("formulas", "2.659")


# A14: RegionCLIP's guesses


def test_a14_sums_of_three_guesses():
    frame = papers.table("regionclip_top3")
    sums = frame.groupby(["System", "Picture"])["Score"].sum().round(2)
    assert sums["Ours"].tolist() == [99.95, 33.5, 22.3]
    assert sums["CLIP"].tolist() == [14.9, 4.51, 26.2]
    cake = frame[(frame["System"] == "Ours") & (frame["Picture"] == 2)]["Score"].tolist()
    assert round(cake[0] - cake[1], 1) == 0.1
    assert_said("regionclip_top3", "0.1", "26.2 %", "22.3 %")


# A15, A16: two FID tables


def fids(name: str) -> dict[tuple[str, str], float]:
    """{(model, "trained" or "zero-shot"): FID}, with the two tables' names for one model made one."""
    frame = papers.table(name)
    ours = {"unCLIP (Diffusion prior)": "DALL-E 2", "DALL-E 2": "DALL-E 2"}
    found = {}
    for _, line in frame.iterrows():
        model = re.sub(r" (\[\d+\]|\(.*\d{4}\))$", "", line.iloc[0])
        for kind, value in zip(("trained", "zero-shot"), line.iloc[1:3], strict=True):
            if not math.isnan(value):
                found[ours.get(model, model), kind] = value
    return found


def test_a15_the_two_tables_differ_in_dall_e_alone():
    first, second = fids("dalle2_fid"), fids("imagen_fid")
    shared = first.keys() & second.keys()
    assert len(shared) == 11
    assert [key for key in shared if first[key] != second[key]] == [("DALL-E", "zero-shot")]
    assert (first["DALL-E", "zero-shot"], second["DALL-E", "zero-shot"]) == (28, 17.89)
    assert second.keys() - first.keys() == {("Imagen (Our Work)", "zero-shot")}


def test_a15_within_two_points_of_which_best():
    df_gan = fids("dalle2_fid")["DF-GAN", "trained"]
    assert (round(df_gan + 2, 1), round(28 - df_gan, 1), round(df_gan - 17.89, 1)) == (23.4, 6.6, 3.5)
    assert_said("dalle2_fid", "17.89", "21.42", "23.4", "6.6", "3.5")
    assert slip_at("dalle2_fid", "DALL-E (Ramesh et al., 2021)", "Zero-shot FID").should_be == ""
    assert slip_at("imagen_fid", "DALL-E [53]", "Zero-shot FID-30K").printed == "17.89"


def test_a16_imagen_against_a_trained_model_and_the_price_of_filtering():
    both = fids("imagen_fid")
    assert round(both["Make-A-Scene", "trained"] - both["Imagen (Our Work)", "zero-shot"], 2) == 0.28
    frame = papers.table("dalle2_fid")
    price = (frame["Zero-shot FID (filt)"] - frame["Zero-shot FID"]).dropna().round(2).tolist()
    assert price == [0.65, 0.45, 0.48]
    assert_said("imagen_fid", "0.28", "1.35")
    assert_said("dalle2_fid", ".45", ".65", ".48")


# A17: DALL-E 2, Table 1


def test_a17_intervals_against_a_coin():
    low_high = {}
    for prior in ("AR", "Diffusion"):
        scores = row("dalle2_table1", prior)
        for what in ("Photorealism", "Caption Similarity", "Diversity"):
            low_high[prior, what] = [round(scores[what] + sign * scores[f"{what} ±"], 1) for sign in (-1, 1)]
    assert list(low_high.values()) == [
        [44.0, 50.2], [38.1, 44.1], [59.6, 65.6], [45.8, 52.0], [42.3, 48.3], [67.7, 73.3]
    ]  # fmt: skip
    verdicts = [
        "tie" if low <= 50 <= high else "lost" if high < 50 else "won" for low, high in low_high.values()
    ]
    assert verdicts == ["tie", "lost", "won"] * 2
    assert_said("dalle2_table1", "45.8–52.0", "44.0–50.2", "38.1–44.1", "42.3–48.3")


def test_a17_diffusion_against_ar_and_the_number_of_answers():
    ar, diffusion = row("dalle2_table1", "AR"), row("dalle2_table1", "Diffusion")
    names = ("Photorealism", "Caption Similarity", "Diversity")
    z = [audit.z_of_difference(ar[n], ar[f"{n} ±"], diffusion[n], diffusion[f"{n} ±"]) for n in names]
    assert [round(value, 2) for value in z] == [0.80, 1.94, 3.77]
    assert [audit.p_value(value) < 0.05 for value in z] == [False, False, True]
    answers = [audit.implied_n(s[n] / 100, s[f"{n} ±"] / 100) for s in (ar, diffusion) for n in names]
    assert all(990 < n < 1060 for n in answers)
    assert_said("dalle2_table1", *(f"{value:.2f}" for value in z))


# A18–A23: words and formulas


@pytest.mark.parametrize(
    ("name", "key", "owner", "words", "right"),
    [
        ("formulas", "ldm_loss", "transcript", "L_{LLDM}", "L_LDM"),
        ("statements", "dalle_structure", "slide", "Transformer-based dVAE", "convolutional dVAE"),
        ("statements", "dalle_stage_2", "slide", "Align text feature", "Train a Transformer"),
        ("statements", "dalle2_steps", "slide", "(2) Train decoder", "prior"),
        ("statements", "sam_mask_prompt", "slide", "linear layer", "convolutions"),
        ("statements", "sam_speed", "slide", "Transformer decoder", "once the image embedding is there"),
        ("prompts", "misspelt_vessel", "transcript", "vessel epopoelled", "vessef epropoeilled"),
    ],
)
def test_a18_to_a23_words_that_slip(name, key, owner, words, right):
    slip = slip_at(name, key, "Text")
    assert slip.owner == owner
    assert words in slip.printed
    assert right in slip.should_be
    assert words not in slip.should_be


def test_a22_the_slide_names_three_kinds_of_drawbench_s_eleven():
    assert "rare words, and also misspelled" in row("statements", "drawbench_data")["Text"]
    assert_said("statements", "200", "11")


# A24: Grounding DINO's table


def test_a24_patterns_in_the_design_table():
    frame = papers.table("grounding_dino_design")
    model, _, phases, clip, level = frame.columns
    counts = [frame[phases].str.contains(letter).sum() for letter in "ABC"] + [(frame[phases] == "-").sum()]
    assert counts == [6, 2, 4, 4]
    with_clip = frame[clip] == "✓"
    assert len(frame) == 12
    assert with_clip.sum() == 6
    assert with_clip[frame[phases] == "-"].all()
    assert set(frame[with_clip][level]) == {"sentence"}
    assert not with_clip[frame[level] == "word"].any()
    assert frame[frame[level] == "sub-sentence"][model].tolist() == ["Grounding DINO (Ours)"]
    assert_said("grounding_dino_design", "four rows", "six CLIP rows")
