"""The exercises of 06_glip: targets and scores of words, boxes, two repairs, a prediction."""

from lecture10.exercises.answers import glip as answers
from lecture10.exercises.checks import glip_grounding as check
from lecture10.exercises.exercise import Property, written

BROKEN_FOCAL = '''import torch


def repair_focal(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sigmoid focal loss of each entry, with α = 0.25 and γ = 2: −α_t (1 − p_t)² ln p_t.

    p_t is the probability given to what is right: p where the target is 1, 1 − p where it is 0; α_t is α
    where the target is 1, and 1 − α where it is 0. logits, targets: any shape; returns the same shape, nats.
    """
    p = torch.sigmoid(logits)
    p_t = torch.where(targets == 1, p, 1 - p)
    return -0.25 * (1 - p_t) ** 2 * torch.log(p_t)'''
BROKEN_FUSION = '''import torch


def repair_fusion(
    scores: torch.Tensor, O_v: torch.Tensor, P_v: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """One head of GLIP's deep fusion: what regions hear from words, and words from regions.

    scores (N, M): region i with word j, scaled; O_v (N, d), P_v (M, d): the values. A region mixes the words'
    values, a word the regions', each with weights that sum to 1. Returns ((N, d), (M, d)).
    """
    weights = scores.softmax(dim=1)
    to_regions = weights @ P_v
    to_words = weights.T @ O_v
    return to_regions, to_words'''

EMPTY_SHARE = written(
    answers.empty_share,
    stub="empty_share = ...  # your prediction, a share from 0 to 1",
    notebook="06_glip",
    title="Predict: all p = 0.5, 60 of 64 regions empty. What share of the cross-entropy do these pay?",
    properties=(
        Property("one number", "A prediction is one number.", check.is_one_number),
        Property("a share", "A share lies from 0 to 1.", check.is_a_share),
        Property("the empty ones are most", "There are 15 empty regions for each full one.",
                 check.the_empty_ones_are_most),
        Property("each pays the same", "At p = 0.5 a 1 and a 0 both pay ln 2.", check.each_pays_the_same),
    ),
    hints=(
        "What does −ln p come to at p = 0.5? And −ln (1 − p)?",
        "Every region pays the same, so count regions.",
        "60 / 64",
    ),
    teaches="A dense detector's loss is about empty places, unless it begins and counts otherwise.",
)  # fmt: skip

EXPAND = written(
    answers.expand_phrases,
    notebook="06_glip",
    title="The target, from phrases to tokens: write T′ of T.",
    properties=(
        Property("a column a token", "T′ is (regions, tokens).", check.a_column_a_token),
        Property(
            "all tokens of the phrase",
            "A region of 'small red ball' is positive for all three tokens, and for no other.",
            check.all_tokens_of_the_phrase,
        ),
        Property(
            "empty regions stay empty", "A region of no phrase has a row of zeros.",
            check.empty_regions_stay_empty,
        ),
        Property(
            "zeros and ones", "Where two phrases share a token it is positive once.",
            check.nothing_but_zeros_and_ones,
        ),
    ),
    hints=(
        "For region i and token j: is there a phrase that the region belongs to and that holds the token?",
        "A sum over phrases of T[i, k] · phrase_tokens[k, j] counts them: that is a matrix product.",
        "(T @ phrase_tokens.float() > 0).float()",
    ),
    teaches="Grounding needs no new loss: only a wider target, whose columns are words.",
)  # fmt: skip

SCORE = written(
    answers.score_phrases,
    notebook="06_glip",
    title="The way back: write each phrase's score from its tokens' logits.",
    properties=(
        Property("a column a phrase", "Scores are (regions, phrases).", check.a_column_a_phrase),
        Property(
            "alike tokens", "Where all tokens have one probability, the phrase has it too.",
            check.sure_and_unsure,
        ),
        Property(
            "other tokens do not count", "Only the phrase's own tokens are averaged.",
            check.other_tokens_do_not_count,
        ),
        Property(
            "the mean of probabilities", "First the sigmoid of each token, then their mean.",
            check.the_mean_of_probabilities,
        ),
    ),
    hints=(
        "Which comes first, the sigmoid or the mean?",
        "Multiply the probabilities with phrase_tokens, transposed; how many tokens did you add up?",
        "torch.sigmoid(S) @ tokens.T / tokens.sum(1)",
    ),
    teaches="With a mean every word has to agree: 'red ball' is not found where there is only a ball.",
)  # fmt: skip

GIOU = written(
    answers.generalized_iou,
    notebook="06_glip",
    title="Boxes that do not touch all have IoU 0. Write GIoU, which still tells near from far.",
    properties=(
        Property("a number a pair", "(n,)", check.a_number_a_pair),
        Property("equal boxes", "A box with itself has GIoU 1.", check.equal_boxes_have_one),
        Property(
            "a box in a box", "There the box around both is the larger one: GIoU is IoU.", check.half_of_a_box
        ),
        Property(
            "far boxes", "Without overlap GIoU is −(C − U) / C, below 0.", check.far_boxes_are_below_zero
        ),
        Property("a shared corner", "U = A + B − overlap; C encloses both.", check.part_by_part),
    ),
    hints=(
        "Draw two boxes: which corner of the overlap is a maximum, which a minimum?",
        "An overlap with a negative side is no overlap: clamp it before you multiply.",
        "The box around both has the minimum of the left upper corners, the maximum of the right lower ones.",
    ),
    teaches="A loss needs a slope where the prediction is wholly wrong, and IoU has none there.",
)

FOCAL = written(
    answers.repair_focal,
    stub=BROKEN_FOCAL,
    notebook="06_glip",
    title="This focal loss has lost its balance. Repair it.",
    properties=(
        Property("entry by entry", "The loss has its inputs' shape.", check.an_entry_an_entry),
        Property("ones count a quarter", "α_t is 0.25 for a 1 and 0.75 for a 0.", check.ones_count_a_quarter),
        Property("sure ones count little", "(1 − p_t)² multiplies −ln p_t.", check.sure_ones_count_little),
        Property("zeros too", "For a 0 the right probability is 1 − p.", check.zeros_as_well),
        Property("mixed", "Ones and zeros together, with a gradient.", check.mixed_entries),
    ),
    hints=(
        "Which number of the formula does the code treat as equal for ones and zeros?",
        "α_t depends on the target, as p_t does.",
        "alpha_t = torch.where(targets == 1, 0.25, 0.75)",
    ),
    teaches="(1 − p_t)² does the work; α = 0.25 then takes some of it back, since it makes zeros count more.",
)

FUSION = written(
    answers.repair_fusion,
    stub=BROKEN_FUSION,
    notebook="06_glip",
    title="Deep fusion reads one table in two ways. Here only one of them is right. Repair the other.",
    properties=(
        Property("both are heard", "A tensor for the regions, one for the words.", check.both_are_heard),
        Property(
            "weights sum to 1", "A mean of equal values is that value, for regions and for words.",
            check.weights_sum_to_one,
        ),
        Property(
            "a sure region hears its word", "A region's weights run along its row.",
            check.a_sure_region_hears_its_word,
        ),
        Property(
            "a sure word hears its region", "A word's weights run down its column.",
            check.a_sure_word_hears_its_region,
        ),
    ),
    hints=(
        "Add up each row of weights, and each column.",
        "A transposed softmax is no softmax of the transposed table.",
        "scores.T.softmax(dim=1) @ O_v",
    ),
    teaches="Scores may be shared between the two directions, weights may not.",
)  # fmt: skip

EXERCISES = (EMPTY_SHARE, EXPAND, FUSION, SCORE, GIOU, FOCAL)
