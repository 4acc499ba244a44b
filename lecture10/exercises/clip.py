"""The exercises of 04_clip: the axis, three broken losses, two variants, prompt ensembles, floors."""

from lecture10.exercises.answers import clip as answers
from lecture10.exercises.checks import clip_loss as loss
from lecture10.exercises.checks import clip_words as words
from lecture10.exercises.exercise import Property, written

HEAD = """import torch
from torch.nn import functional as F


"""
TASK = '''(I_f: torch.Tensor, T_f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """CLIP's loss of n pairs, in nats. I_f, T_f (n, E): features of any length; t: log(1/τ)."""
    I_e, T_e = F.normalize(I_f, dim=1), F.normalize(T_f, dim=1)
'''
BROKEN_TARGETS = f"""{HEAD}def repair_targets{TASK}    logits = I_e @ T_e.T * t.exp()
    targets = ((I_e @ I_e.T + T_e @ T_e.T) / 2 * t.exp()).softmax(1)
    pictures = -(targets * logits.log_softmax(1)).sum(1).mean()
    texts = -(targets.T * logits.T.log_softmax(1)).sum(1).mean()
    return (pictures + texts) / 2"""
BROKEN_DIRECTION = f"""{HEAD}def repair_direction{TASK}    logits_per_image = I_e @ T_e.T * t.exp()
    logits_per_text = I_e @ T_e.T * t.exp()
    labels = torch.arange(len(I_f))
    return (F.cross_entropy(logits_per_image, labels) + F.cross_entropy(logits_per_text, labels)) / 2"""
BROKEN_SCALE = f"""{HEAD}def repair_scale{TASK}    I_e, T_e = I_e * t.exp(), T_e * t.exp()
    logits = I_e @ T_e.T
    labels = torch.arange(len(I_f))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2"""

LOSS = (
    Property("one number", "The loss is a mean: one finite number.", loss.one_number),
    Property(
        "lengths do not matter",
        "Cosines compare directions: divide each feature by its length.",
        loss.lengths_do_not_matter,
    ),
    Property(
        "knowing nothing costs ln n",
        "Where all features are equal, each choice is one among n, and so is their mean.",
        loss.knowing_nothing,
    ),
    Property(
        "both directions",
        "The loss is symmetric: picture → text (rows) and text → picture (columns), averaged.",
        loss.both_directions,
    ),
    Property("the scale is e^t", "Cosines are multiplied by e^t, once.", loss.scale_is_e_to_the_t),
    Property(
        "its own caption alone",
        "The right answer is on the diagonal, with all of the probability: labels, not similarities.",
        loss.own_caption_alone,
    ),
    Property(
        "it can be trained",
        "The gradient has to reach both features and t: return a tensor.",
        loss.trainable,
    ),
)

TWO_LOSSES = written(
    answers.two_losses,
    notebook="04_clip",
    title="The slide's axis=0 and axis=1: write the two halves of the loss and say which is which.",
    properties=(
        Property("two numbers", "A pair of means: (picture picks, text picks).", loss.two_numbers),
        Property(
            "knowing nothing costs ln n",
            "Among n equal logits each choice costs ln n nats, in both directions.",
            loss.nothing_known_twice,
        ),
        Property(
            "a picture chooses in its row",
            "A softmax does not notice what is added to all it chooses among: row i is what picture i sees.",
            loss.rows_choose,
        ),
        Property(
            "a text chooses in its column", "Column j holds all pictures for text j.", loss.columns_choose
        ),
        Property(
            "pairs stand on the diagonal",
            "Picture i belongs to text i: the mean of −log P of the diagonal.",
            loss.pairs_stand_on_the_diagonal,
        ),
    ),
    hints=(
        "Draw the table: a row for each picture, a column for each text. What does picture 0 choose among?",
        "log_softmax(dim=1) normalises along each row: over the texts.",
        "F.cross_entropy(logits, arange(n)) is the first half; with logits.T it is the second.",
    ),
    teaches="If axis means the softmax's axis, the slide's names are swapped; their mean is the same.",
)

REPAIR_TARGETS = written(
    answers.repair_targets,
    stub=BROKEN_TARGETS,
    notebook="04_clip",
    title="A loss from a popular tutorial: it trains, but is not CLIP's. What does it aim at? Repair it.",
    properties=LOSS,
    hints=(
        "What do the targets say about two pictures that look alike? What does the slide say?",
        "labels = np.arange(n): a picture's right answer is its own caption, with probability 1.",
        "torch.eye(n) as targets, or cross_entropy(logits, torch.arange(n)).",
    ),
    teaches="Targets made of the model's own similarities teach it what it believes already.",
)

REPAIR_DIRECTION = written(
    answers.repair_direction,
    stub=BROKEN_DIRECTION,
    notebook="04_clip",
    title="Two losses are averaged here, and yet one of CLIP's two is missing. Find it, and repair it.",
    properties=LOSS,
    hints=(
        "Print the two cross-entropies. Why are they equal?",
        "In which table are the rows texts?",
        "logits_per_text is the transpose of logits_per_image.",
    ),
    teaches="A loss that is symmetric should be tested by a swap: one line finds a missing direction.",
)

REPAIR_SCALE = written(
    answers.repair_scale,
    stub=BROKEN_SCALE,
    notebook="04_clip",
    title="This loss falls quickly, and its t hardly moves. How large are its logits? Repair it.",
    properties=LOSS,
    hints=(
        "With t = ln 20, what is the logit of two features that point the same way? What should it be?",
        "Both features are multiplied by e^t, and then they are multiplied with each other.",
        "Leave I_e and T_e as unit vectors; multiply their cosines by t.exp().",
    ),
    teaches="e^t · e^t = e^2t: the right kind of loss at the wrong temperature trains, only worse.",
)

NEGATIVES = written(
    answers.loss_with_negatives,
    notebook="04_clip",
    title="A variant: let each picture choose among its batch's captions and k hard wrong ones besides.",
    properties=(
        Property("one number", "The loss is a mean: one finite number.", loss.negatives_one_number),
        Property(
            "lengths do not matter",
            "All three kinds of features are divided by their length.",
            loss.negatives_lengths,
        ),
        Property(
            "knowing nothing costs ln (n + k) and ln n",
            "A picture chooses among n + k texts, a caption among n pictures; the others are not asked.",
            loss.negatives_knowing_nothing,
        ),
        Property("the scale is e^t", "Cosines are multiplied by e^t, once.", loss.negatives_scale),
        Property(
            "the right answer is the pair's own",
            "Picture i belongs to caption i, and to no other with any probability.",
            loss.negatives_value,
        ),
        Property("it can be trained", "The gradient has to reach all inputs.", loss.negatives_trainable),
    ),
    hints=(
        "Two tables: pictures × all texts, and captions × pictures. Which of them is square?",
        "torch.cat([T_e, N_e]) are all texts; picture i's right one still stands at place i.",
        "cross_entropy takes a table of n × (n + k) with labels 0 … n − 1 as it is.",
    ),
    teaches="A contrastive loss learns what its wrong answers ask for, and they can be chosen.",
)

SIGMOID = written(
    answers.sigmoid_loss,
    notebook="04_clip",
    title="A variant that needs no other pair: write SigLIP's loss, where each pair is asked by itself.",
    properties=(
        Property("one number", "One finite number.", loss.sigmoid_one_number),
        Property("lengths do not matter", "Cosines, as in CLIP.", loss.sigmoid_lengths),
        Property(
            "one pair pays too",
            "A pair alone pays −log σ(e^t · cosine + b): unlike a softmax's choice among one.",
            loss.one_pair_pays,
        ),
        Property("the bias is added", "b is added to every logit, wanted or not.", loss.the_bias_is_added),
        Property("all pairs count", "Sum what all n × n pairs pay, and divide by n.", loss.all_pairs_count),
        Property("it can be trained", "The gradient has to reach all inputs.", loss.sigmoid_trainable),
    ),
    hints=(
        "Each entry of the n × n table is a yes-or-no question; the diagonal should say yes.",
        "−log σ(+logit) on the diagonal, −log σ(−logit) elsewhere: one sign matrix does both.",
        "sign = 2·eye − 1; −logsigmoid(sign · logits).sum() / n",
    ),
    teaches="Without a softmax no process has to see the whole row: that is what SigLIP is for.",
)

ENSEMBLE = written(
    answers.ensemble_logits,
    notebook="04_clip",
    title="Prompt ensembling: several prompts tell one class. Write the scores, as CLIP does.",
    properties=(
        Property("a score for each class", "(B, C): prompts are no classes.", words.a_score_for_each_class),
        Property(
            "one prompt is just that prompt",
            "With one prompt a class, the score is e^t times its cosine with the picture.",
            words.one_prompt_is_that_prompt,
        ),
        Property(
            "long prompts weigh no more",
            "Each prompt's feature is divided by its length before the mean.",
            words.long_prompts_weigh_no_more,
        ),
        Property(
            "a class is a unit vector",
            "The mean of unit vectors is shorter than 1: normalise it again. Average embeddings, not logits.",
            words.a_class_is_a_unit_vector,
        ),
        Property(
            "the mean of the prompts",
            "Every prompt counts the same, in whatever order.",
            words.scores_of_random_prompts,
        ),
    ),
    hints=(
        "Make one vector of each class first; only then look at the pictures.",
        "Three steps: normalise each prompt, average over prompts, normalise the average.",
        "P_f / P_f.norm(dim=-1, keepdim=True), then .mean(1), then divide by the norm once more.",
    ),
    teaches="Averaged embeddings cost one dot product a class at test time, however many prompts there were.",
)

FLOOR = written(
    answers.loss_floor,
    notebook="04_clip",
    title="Some captions of a batch are equal. How low can the loss go? Write the floor.",
    properties=(
        Property("one number", "A floor is one finite number.", words.floor_is_one_number),
        Property(
            "different captions have no floor",
            "Where no caption is repeated, a perfect model's loss comes to 0.",
            words.different_captions_have_no_floor,
        ),
        Property(
            "n equal captions cost ln n",
            "Among n equal captions a picture can only guess, and guessing costs ln n nats.",
            words.equal_captions_cost_ln_n,
        ),
        Property(
            "each pair weighs the same",
            "The loss is a mean over pairs: a caption that stands m times is counted m times.",
            words.each_pair_weighs_the_same,
        ),
        Property(
            "order does not matter", "Duplicates need not stand side by side.", words.order_does_not_matter
        ),
    ),
    hints=(
        "What is the best probability that one picture can give to its own of m equal captions?",
        "1/m, which costs ln m. Now the mean over all pictures of the batch.",
        "captions.count(caption) is m; sum math.log of it over captions, divide by their number.",
    ),
    teaches="Few captions make a floor that no training lowers: 1.77 nats for 24 captions in batches of 128.",
)

PERFECT_LOSS = written(
    answers.perfect_loss,
    stub="perfect_loss = ...  # your prediction, in nats",
    notebook="04_clip",
    title="Predict: 128 pairs, right ones at cosine 1, wrong ones at 0, and scale 1 (t = 0). The loss?",
    properties=(
        Property("one number", "A prediction is one number.", words.prediction_is_one_number),
        Property(
            "perfection still costs",
            "The softmax sees a 1 beside many zeros, and that is no certainty.",
            words.perfection_still_costs,
        ),
        Property(
            "less than knowing nothing",
            "All logits equal would cost ln 128; these tell the right one from the rest.",
            words.less_than_knowing_nothing,
        ),
        Property("one against 127", "P = e¹ / (e¹ + 127 · e⁰).", words.one_against_127),
    ),
    hints=(
        "Write down the 128 logits of one picture: one is 1, the others are 0.",
        "The right text's probability is e / (e + 127), about 2 %.",
        "−math.log(math.e / (math.e + 127))",
    ),
    teaches="Cosines reach 1 and no further: without a learnt scale even a perfect model would look lost.",
)

EXERCISES = (
    PERFECT_LOSS,
    TWO_LOSSES,
    REPAIR_TARGETS,
    REPAIR_DIRECTION,
    REPAIR_SCALE,
    NEGATIVES,
    SIGMOID,
    ENSEMBLE,
    FLOOR,
)
