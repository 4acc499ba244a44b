"""The exercises of 01_gpt1: a mask, a loss, sampling, a measure, a bug, a count, a prediction."""

from lecture10.exercises.answers import gpt1 as answers
from lecture10.exercises.checks import gpt1_model as model
from lecture10.exercises.checks import gpt1_text as text
from lecture10.exercises.exercise import Property, written

BUGGY_GREEDY = '''import torch


def generate_greedy(model, prompt: list[int], n_new: int) -> list[int]:
    """Continue the prompt by n_new tokens, always the best one; the cache spares reading anything twice.

    model(tokens, positions, cache) -> (logits, cache): tokens (T,) not read before, positions (T,) where they
    stand in the text (from 0), cache None at first; logits (T, V) for what follows each of these tokens.
    Returns the prompt and the new tokens, as one list.
    """
    text, tokens, cache = list(prompt), torch.tensor(prompt), None
    for _ in range(n_new):
        positions = torch.arange(len(tokens))
        logits, cache = model(tokens, positions, cache)
        best = int(logits[-1].argmax())
        text.append(best)
        tokens = torch.tensor([best])
    return text'''

PREFIX_MASK = written(
    answers.prefix_mask,
    notebook="01_gpt1",
    title="Write the mask of a prefix language model, which reads both ways and then writes in order.",
    properties=(
        Property("a bool table", "One row for each position, one column for each too.", model.bool_table),
        Property(
            "the past is open", "Every position may look at itself and all before it.", model.past_is_open
        ),
        Property("the prefix is open", "Inside the prefix everyone sees everyone.", model.prefix_is_open),
        Property("the future is closed", "Outside the prefix nobody looks ahead.", model.future_is_closed),
    ),
    hints=(
        "Two rules, joined by `or`: s ≤ t, or both t and s lie in the prefix.",
        "torch.ones(length, length, dtype=torch.bool).tril() is the first rule: rows are t, columns are s.",
        "The second rule is one square in the upper left corner, n_prefix wide: set it to True.",
    ),
    teaches="The mask alone makes a model a writer, a reader, or a reader that writes.",
)

TIED_LOSS = written(
    answers.tied_loss,
    notebook="01_gpt1",
    title="Write L1 as a loss with tied output, for a batch of texts of different lengths.",
    properties=(
        Property("one number", "The loss is a mean: one finite number.", model.loss_is_one_number),
        Property(
            "knowing nothing costs ln V",
            "With h = 0 all V tokens are equally likely: each costs ln V nats, and so does the mean.",
            model.knowing_nothing_costs_ln_v,
        ),
        Property(
            "the next token",
            "Position t is asked for token t+1; whoever puts all its belief there pays nothing.",
            model.the_next_token,
        ),
        Property(
            "padding counts for nothing",
            "What stands after a text's end is never predicted.",
            model.no_padding,
        ),
        Property(
            "each prediction weighs the same",
            "Sum over all predictions of all texts and divide by how many they are.",
            model.each_weighs_the_same,
        ),
        Property(
            "it can be trained", "The gradient has to reach h and W_e: return a tensor.", model.trainable
        ),
    ),
    hints=(
        "softmax(h_n W_eᵀ): the logits are h times the transpose of the embedding matrix.",
        "Drop the last position of h and the first of tokens: now they stand face to face, T−1 of each.",
        'F.cross_entropy(…, reduction="none") gives (B, T-1): keep those whose target lies in the text.',
    ),
    teaches="L1 is bookkeeping: which position answers for which token, and how many answers there are.",
)

NEXT_TOKEN_PROBS = written(
    answers.next_token_probs,
    notebook="01_gpt1",
    title="Write the probabilities to draw from: temperature, then top-p, and greedy at temperature 0.",
    properties=(
        Property("probabilities", "V numbers, none negative, that sum to 1.", text.is_a_distribution),
        Property(
            "each token keeps its place",
            "After sorting, put every probability back where its token stands.",
            text.keeps_its_place,
        ),
        Property(
            "temperature divides", "Softmax of logits / temperature: cold is sharp.", text.temperature_divides
        ),
        Property("at least one", "However small top_p, the best token stays.", text.at_least_one),
        Property(
            "the smallest set",
            "Add tokens, best first, until their sum reaches top_p; the one that gets it there is kept.",
            text.smallest_set,
        ),
        Property(
            "temperature first", "top_p is measured after the temperature has acted.", text.temperature_first
        ),
        Property("old proportions", "Among the kept ones only the scale changes.", text.old_proportions),
        Property("0 is greedy", "At temperature 0 the best token has probability 1.", text.zero_is_greedy),
    ),
    hints=(
        "Treat temperature 0 first. Then sort the probabilities, best first: what is their cumulative sum?",
        "A token belongs to the set when the sum of those *before* it is still below top_p: cumsum - itself.",
        "Divide the kept by their sum; torch.zeros_like(p).scatter(0, order, kept) puts them back.",
    ),
    teaches="Top-p lets the model's own certainty decide how many tokens are worth a draw.",
)

BITS_PER_BYTE = written(
    answers.bits_per_byte,
    notebook="01_gpt1",
    title="Turn losses per token into bits per byte, which compares models with different tokenizers.",
    properties=(
        Property("one number", "One figure for the whole text.", text.bits_is_one_number),
        Property("bits, not nats", "A coin toss costs ln 2 nats, which is 1 bit.", text.bits_not_nats),
        Property(
            "per byte, not per token", "Longer tokens are dearer and fewer.", text.per_byte_not_per_token
        ),
        Property(
            "the cut does not matter",
            "The same text at the same total cost has the same figure, into whatever tokens it was cut.",
            text.cut_does_not_matter,
        ),
        Property(
            "special tokens cost too",
            "No bytes, but a cost: it belongs to the sum.",
            text.special_tokens_cost,
        ),
    ),
    hints=(
        "Two sums over the whole text: what it costs, and how long it is.",
        "One bit is ln 2 = 0.693 nats: divide nats by it.",
        "losses.sum() / math.log(2) is the cost in bits; now per byte.",
    ),
    teaches="A ratio of sums survives another tokenizer; a mean of ratios, or a loss per token, does not.",
)

GENERATE_GREEDY = written(
    answers.generate_greedy,
    stub=BUGGY_GREEDY,
    notebook="01_gpt1",
    title="Find the bug: with its cache this function writes another text than without. Repair it.",
    properties=(
        Property(
            "prompt and new tokens", "One list: the prompt, then n_new tokens.", text.prompt_and_new_tokens
        ),
        Property(
            "each token is read once",
            "The cache keeps what was read: hand on only what is new.",
            text.read_once,
        ),
        Property(
            "positions go on",
            "A token's position is its place in the whole text, from 0.",
            text.positions_go_on,
        ),
        Property(
            "the same text as without cache", "A cache saves time and changes nothing.", text.same_as_uncached
        ),
    ),
    hints=(
        "Print the positions of each round for a prompt of three tokens. What should the fourth one be?",
        "In the second round len(tokens) is 1: torch.arange(len(tokens)) says that the new token is at 0.",
        "Keep count of how many tokens the cache holds, and let the positions start there.",
    ),
    teaches="A cached model is only right if cached and uncached agree: a test of one line finds such bugs.",
)

GPT_PARAMETERS = written(
    answers.gpt_parameters,
    notebook="01_gpt1",
    title="Count GPT-1's parameters by hand: 12 blocks, width 768, 40 478 tokens, context 512.",
    properties=(
        Property("a whole number", "Parameters are counted.", model.whole_number),
        Property("one row a token", "Tied: one more token costs one row, not two.", model.one_row_a_token),
        Property(
            "one row a position",
            "Positions are learnt: one more costs one row, once.",
            model.one_row_a_position,
        ),
        Property(
            "nothing else outside", "Without blocks, only the two tables remain.", model.nothing_else_outside
        ),
        Property(
            "12 d² a block",
            "The matrices: attention has four, the feed-forward part two.",
            model.twelve_d_squared,
        ),
        Property(
            "13 d a block", "Biases of all six matrices, and two norms of gain and bias.", model.thirteen_d
        ),
    ),
    hints=(
        "Three parts: the token table, the position table, and `layers` times one block.",
        "Attention: 4 (d² + d). Feed-forward: d·4d + 4d, and 4d·d + d. Two norms: 2 · 2d.",
        "A block is 12 d² + 13 d; the two tables are (vocab + context) · d.",
    ),
    teaches="GPT-1 has 116,534,784 of them, and more than a quarter is the token table.",
)

FIRST_LOSS = written(
    answers.first_loss,
    stub="first_loss = ...  # your prediction, in nats",
    notebook="01_gpt1",
    title="Predict: GPT-1 chooses among 40 478 tokens. About what is its first loss, in nats?",
    properties=(
        Property("one number", "A prediction is one number.", model.prediction_is_one_number),
        Property(
            "a cost, not a probability", "The loss is −log P, far above 0 here.", model.cost_not_probability
        ),
        Property("a logarithm", "The loss is a logarithm, so it is a small number.", model.a_logarithm),
        Property("in nats", "Nats take the natural logarithm, neither log₂ nor log₁₀.", model.in_nats),
        Property(
            "all tokens alike", "Nothing is known yet: every token is as likely.", model.all_tokens_alike
        ),
    ),
    hints=(
        "An untrained model has no reason to prefer any token: what probability does each get?",
        "The loss is −log P of the token that came, with P = 1 / 40 478.",
        "math.log(40_478)",
    ),
    teaches="A first loss far from ln V is the cheapest sign of a bug.",
)

EXERCISES = (
    PREFIX_MASK,
    TIED_LOSS,
    NEXT_TOKEN_PROBS,
    BITS_PER_BYTE,
    GENERATE_GREEDY,
    GPT_PARAMETERS,
    FIRST_LOSS,
)
