"""The exercises of 08_sam: the ceiling of one mask, who learns, the IoU, the focal loss, clicks against."""

from lecture10.exercises.answers import sam as answers
from lecture10.exercises.checks import sam as check
from lecture10.exercises.exercise import Property, written

BROKEN_CLICKS = '''\
import torch


def repair_clicks(
    at: torch.Tensor, labels: torch.Tensor, kinds: torch.Tensor, nothing: torch.Tensor
) -> torch.Tensor:
    """The prompt encoder's tokens: where a click is, plus what it says.

    at (N, K, C): encoded places; labels (N, K): 1 for the object, 0 against it, -1 no click (it fills up the
    batch); kinds (2, C): what label 0 and label 1 add; nothing (C,): the token of no click, wherever it is.
    Returns (N, K, C).
    """
    clicked = (labels > 0)[..., None]
    return torch.where(clicked, at + kinds[labels.clamp(min=0)], nothing)'''

CEILING = written(
    answers.one_mask_ceiling,
    stub="one_mask_ceiling = ...  # your prediction, a mean IoU between 0 and 1",
    notebook="08_sam",
    title="Predict: a click means the bear, or its head (a quarter of it), evenly. One mask's best mean IoU?",
    properties=(
        Property("one number", "A prediction is one number.", check.ceiling_is_one_number),
        Property(
            "no mask is always right", "Two different masks cannot both be it.", check.no_mask_is_always_right
        ),
        Property(
            "right half of the time",
            "Answer the bear, always: half of the IoUs are 1.",
            check.right_half_of_the_time,
        ),
        Property(
            "wrong is not worthless",
            "The bear, where the head was meant, still has an IoU: the head's share of it.",
            check.wrong_is_not_worthless,
        ),
    ),
    hints=(
        "Say that you always answer the bear. Which two IoUs occur, and how often?",
        "The head lies within the bear: their IoU is head / bear = 0.25.",
        "(1 + 0.25) / 2, and answering the head gives the same.",
    ),
    teaches="(1 + r) / 2: a limit of arithmetic that no training lifts. Three answers do.",
)

BEST_SINGLE = written(
    answers.best_single,
    notebook="08_sam",
    title="Now any number of nested masks: how well can one answer do? Write the ceiling.",
    properties=(
        Property("one number", "A mean IoU is one finite number.", check.best_is_one_number),
        Property(
            "one meaning is no riddle",
            "With one mask the answer is right: 1.",
            check.one_meaning_is_no_riddle,
        ),
        Property("two meanings", "Of two, each answer gives (1 + r) / 2.", check.two_meanings),
        Property(
            "the best answer counts",
            "Try each mask as the answer, average its IoU with all of them, and keep the best mean.",
            check.the_best_answer_counts,
        ),
    ),
    hints=(
        "Nested masks: the IoU of two is the smaller area over the larger.",
        "Two loops: over what you answer, and over what was meant.",
        "max over answers of the mean over meanings of min(a, m) / max(a, m).",
    ),
    teaches="Of three levels mostly the middle one is best: near to both others.",
)

AMBIGUOUS = written(
    answers.ambiguous_loss,
    notebook="08_sam",
    title="Three masks answer each prompt. Write the loss in which only the best of them learns.",
    properties=(
        Property("one number", "The loss is one finite number.", check.loss_is_one_number),
        Property(
            "one answer is an ordinary loss",
            "With a single mask there is nothing to choose: the mean over prompts.",
            check.one_answer_is_an_ordinary_loss,
        ),
        Property(
            "each prompt has its best",
            "The minimum is over the masks of a prompt (a row), the mean over prompts.",
            check.each_prompt_has_its_best,
        ),
        Property(
            "the others do not learn",
            "Only the best mask of each prompt has a gradient; the others are free to mean something else.",
            check.the_others_do_not_learn,
        ),
    ),
    hints=(
        "What would three masks learn if all of them paid for every target?",
        "First one number for each prompt, then their mean.",
        "losses.amin(dim=1).mean()",
    ),
    teaches="A mean over the masks would make them alike: three times the compromise.",
)

IOU = written(
    answers.mask_iou,
    notebook="08_sam",
    title="What does the IoU head have to guess? Write the true IoU of a mask that comes as logits.",
    properties=(
        Property(
            "an IoU for each mask", "(N,): one for each mask and its target.", check.an_iou_for_each_mask
        ),
        Property(
            "the sign decides",
            "A pixel is in where its logit is above 0, however far.",
            check.the_sign_decides,
        ),
        Property("a perfect mask has 1", "Mask and target alike: IoU 1.", check.a_perfect_mask_has_one),
        Property(
            "shared pixels count once",
            "The union counts a pixel that both have once: not the sum of both areas.",
            check.shared_pixels_count_once,
        ),
        Property("nothing is 0", "Both empty: 0, not a division by zero.", check.nothing_is_zero),
    ),
    hints=(
        "Logits are no probabilities: which logit belongs to p = 0.5?",
        "Make a bool mask first; & and | give intersection and union.",
        "(m & t).sum((1, 2)) / (m | t).sum((1, 2)).clamp(min=1) with m = logits > 0",
    ),
    teaches="IoU on probabilities looks similar and is another number: the head would learn that one.",
)

FOCAL = written(
    answers.balanced_focal,
    notebook="08_sam",
    title="Most pixels are background, and easy. Write the focal loss, with its balance alpha.",
    properties=(
        Property("one number", "The loss is one finite number.", check.focal_is_one_number),
        Property(
            "certainty is safe", "ln of a sigmoid that is 0 is −∞: use logsigmoid.", check.certainty_is_safe
        ),
        Property("a mean over pixels", "A larger picture is no larger loss.", check.a_mean_over_pixels),
        Property(
            "easy pixels hardly count",
            "What is off by p pays p² of its cross-entropy.",
            check.easy_pixels_hardly_count,
        ),
        Property(
            "the object weighs a quarter",
            "alpha = 0.25 is for the object, 0.75 for the rest.",
            check.the_object_weighs_a_quarter,
        ),
        Property("both together", "Each pixel pays by its own target.", check.focal_of_random_masks),
    ),
    hints=(
        "Two cases, inside and outside; a target of 0 or 1 can choose between them.",
        "ln p = logsigmoid(logits), ln (1 − p) = logsigmoid(−logits).",
        "(t * 0.25 * (1 − p)**2 * −ln p + (1 − t) * 0.75 * p**2 * −ln(1 − p)).mean()",
    ),
    teaches="alpha = 0.25 holds the object back, not up: with gamma = 2 the background hardly pays any more.",
)

CLICKS = written(
    answers.repair_clicks,
    stub=BROKEN_CLICKS,
    notebook="08_sam",
    title="Shift-clicks do nothing in this prompt encoder. Why? Repair it.",
    properties=(
        Property(
            "a token for each click",
            "(N, K, C): every place of the row has one.",
            check.a_token_for_each_click,
        ),
        Property("a click for says so", "Label 1: its place plus kinds[1].", check.a_click_for_says_so),
        Property(
            "a click against is a click",
            "Label 0 is no missing click: its place plus kinds[0].",
            check.a_click_against_is_a_click,
        ),
        Property(
            "no click has no place",
            "Label −1 is `nothing`, wherever its place is.",
            check.no_click_has_no_place,
        ),
    ),
    hints=(
        "Three labels: 1, 0 and −1. Which of them does the condition take together?",
        "Only −1 means that there is no click.",
        "torch.where((labels == -1)[..., None], nothing, at + kinds[labels.clamp(min=0)])",
    ),
    teaches="0 is a label here and not nothing: the mistake trains well, and shows at the second click only.",
)

EXERCISES = (CEILING, BEST_SINGLE, AMBIGUOUS, IOU, FOCAL, CLICKS)
