"""The exercises of 05_regionclip: where RoIAlign reads, shared concepts, distillation, a threshold."""

from lecture10.exercises.answers import regionclip as answers
from lecture10.exercises.checks import regionclip as check
from lecture10.exercises.exercise import Property, written

BROKEN_SHARED = '''\
import torch


def repair_shared(v: torch.Tensor, texts: torch.Tensor, labels: torch.Tensor, scale: float) -> torch.Tensor:
    """The region–text loss: each region picks its concept among those that occur in the batch. Mean, in nats.

    v (R, E): unit vectors of regions; texts (R, E): the unit vector of each region's own concept; labels
    (R,): the concepts' numbers. Regions with equal labels share one concept (equal rows of texts), which
    stands among the choices once.
    """
    logits = scale * v @ texts.T
    return torch.nn.functional.cross_entropy(logits, torch.arange(len(v)))'''

PLACES = written(
    answers.align_places,
    notebook="05_regionclip",
    title="RoIAlign: at which places of a map's row is a box read? Mind the half cell.",
    properties=(
        Property("a place for each bin", "One place a bin, as a tensor.", check.a_place_for_each_bin),
        Property(
            "the whole row is read cell by cell",
            "With as many bins as cells over the whole width, bin j must read cell j itself.",
            check.the_whole_row_is_read_cell_by_cell,
        ),
        Property(
            "nothing is rounded",
            "A box between cells is read between cells: that is what RoIAlign is for.",
            check.nothing_is_rounded,
        ),
        Property(
            "bins are read in their middle",
            "Bin k of n has its middle at (k + 0.5) / n of the box.",
            check.bins_are_read_in_their_middle,
        ),
    ),
    hints=(
        "Three steps: middles of the bins as shares of the box; as shares of the picture; as cells.",
        "A map of 4 cells: where, as a share of the width, is the centre of cell 0? At 0.125, not at 0.",
        "shares * cells - 0.5",
    ),
    teaches="A half cell of a map with stride 8 is four pixels, a quarter of a small thing.",
)

SHARED = written(
    answers.repair_shared,
    stub=BROKEN_SHARED,
    notebook="05_regionclip",
    title="Two cats in one batch: this region–text loss makes each the other's wrong answer. Repair it.",
    properties=(
        Property("one number", "The loss is a mean: one finite number.", check.one_number),
        Property(
            "different concepts as before",
            "Where no label stands twice, the given loss was right.",
            check.different_concepts_as_before,
        ),
        Property(
            "a shared concept is no wrong answer",
            "Regions that share a concept are both right about it.",
            check.a_shared_concept_is_no_wrong_answer,
        ),
        Property(
            "a concept stands once",
            "A concept is one choice, however many regions of the batch it names.",
            check.a_concept_stands_once,
        ),
        Property("regions weigh the same", "A mean over regions.", check.regions_weigh_the_same),
        Property("it can be trained", "The gradient has to reach the regions.", check.regions_can_be_trained),
    ),
    hints=(
        "Print labels and logits for two cats and a dog. How many different columns are there?",
        "Keep one row of texts for each different label, and say for each region which one is its own.",
        "labels.unique(return_inverse=True): the different labels, and each region's place among them.",
    ),
    teaches="Contrastive losses need to know which pairs are right too: pseudo-labels say it for free.",
)

DISTIL = written(
    answers.distil,
    notebook="05_regionclip",
    title="Distillation: write what the student pays for scores that differ from its teacher's.",
    properties=(
        Property("one number", "One finite number.", check.one_cost),
        Property(
            "agreeing costs nothing",
            "A student with its teacher's scores pays 0, however unsure both are.",
            check.agreeing_costs_nothing,
        ),
        Property(
            "a constant is not noticed",
            "Scores come from a softmax: what is added to a whole row changes nothing.",
            check.a_constant_is_not_noticed,
        ),
        Property(
            "a mean over regions", "Sum over concepts, then the mean over regions.", check.a_mean_over_regions
        ),
        Property(
            "the teacher weighs",
            "The mean is over what the teacher expects: Σ q_teacher · (ln q_teacher − ln q_student).",
            check.the_teacher_weighs,
        ),
        Property(
            "only the student learns",
            "The teacher's scores are targets: detach.",
            check.only_the_student_learns,
        ),
    ),
    hints=(
        "Two softmaxes over the concepts, one weight: whose probabilities weigh the logarithms?",
        "KL(p ‖ q) = Σ p (ln p − ln q), with p the teacher's. log_softmax is safer than softmax().log().",
        "q = teacher.detach().softmax(-1); sum q · (difference of log_softmaxes) over that axis.",
    ),
    teaches="Soft scores say more than a label: which other concepts the teacher nearly took.",
)

KEPT = written(
    answers.kept_and_right,
    notebook="05_regionclip",
    title="Pseudo-labels: how many does a threshold keep, and how many of these are right?",
    properties=(
        Property("two shares", "A pair: (share kept, share of these right).", check.two_shares),
        Property("no threshold keeps all", "At threshold 0 every label stays.", check.no_threshold_keeps_all),
        Property(
            "the likeliest decides",
            "Nobody knows the truth when labels are chosen: the confidence is the largest probability.",
            check.the_likeliest_decides,
        ),
        Property("right among the kept", "Divide by the number kept.", check.right_among_the_kept),
        Property("at the threshold is kept", "At least, not more than.", check.at_the_threshold_is_kept),
        Property("none kept is said", "Where none is kept, return (0, 0), not NaN.", check.none_kept_is_said),
    ),
    hints=(
        "q.max(dim=-1) gives two things at once.",
        "Make a mask of those kept; index with it before you take the second mean.",
        "(label == truth)[kept].float().mean()",
    ),
    teaches="Fewer labels, more of them right: what that is worth only training can tell.",
)

EXERCISES = (PLACES, SHARED, DISTIL, KEPT)
