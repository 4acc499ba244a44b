"""The exercises of 02_bert: two predictions, masking, a normaliser, packing, a leak."""

from lecture10.exercises.answers import bert as answers
from lecture10.exercises.checks import bert_masking as masking
from lecture10.exercises.checks import bert_pairs as pairs
from lecture10.exercises.exercise import Property, written

LEAKY_PAIRS = '''import torch


def honest_pairs(documents: list, n: int) -> list:
    """n pairs for next-sentence prediction, (A, B, follows), half of them with follows = True.

    documents: lists of sentences, all of the same length, two or more. True: B is the sentence after A in its
    document. False: B stands in another document. B alone must not tell which of the two it is.
    """
    pairs = []
    for k in range(n):
        one, other = torch.randperm(len(documents))[:2].tolist()
        place = int(torch.randint(1, len(documents[one]), ()))
        anywhere = int(torch.randint(len(documents[other]), ()))
        b = documents[one][place] if k % 2 else documents[other][anywhere]
        pairs.append((documents[one][place - 1], b, bool(k % 2)))
    return pairs'''

LTR_CEILING = written(
    answers.ltr_ceiling,
    stub="ltr_ceiling = ...  # your prediction, from 0 (never) to 1 (always)",
    notebook="02_bert",
    title='Predict: how often can a left-to-right model, at best, fill the blank in "The bear turns ___"?',
    properties=(
        Property("one number", "A share is one number.", pairs.one_number),
        Property("a share", "From 0 to 1; 50 % is 0.5.", pairs.a_share),
        Property("only colours", "It knows that a colour must come.", pairs.not_blind),
        Property("no cue yet", "It has read nothing that says which colour.", pairs.not_certain),
        Property("one in K", "Eight colours, all equally likely.", pairs.one_in_k),
    ),
    hints=(
        "What has it read when it must answer? Only what stands to the left of the blank.",
        "With training it learns all that the left side tells: that a colour comes, and which eight may.",
        "Each of the eight is as likely as any other. How often is the best single guess right?",
    ),
    teaches="No amount of training moves this: what has not been read cannot be known.",
)

MASK_WORDS = written(
    answers.mask_words,
    notebook="02_bert",
    title="Write the masking recipe for whole words: the pieces of a word share its fate.",
    properties=(
        Property("like the ids", "Two tensors of the shape of ids, in whole numbers.", masking.like_the_ids),
        Property("special tokens stay", "Where words is -1 nothing is chosen.", masking.special_tokens_stay),
        Property(
            "the truth is asked",
            "The target is what stood there; what is not asked for is read as it stands.",
            masking.the_truth_is_asked,
        ),
        Property("whole words", "A word is chosen with all its pieces.", masking.whole_words),
        Property("15 % of the words", "round(0.15 · words), at least one.", masking.fifteen_per_cent),
        Property("all words alike", "Each word is as likely to be chosen as any.", masking.all_words_alike),
        Property("one fate a word", "Draw one number a word, not one a piece.", masking.one_fate_a_word),
        Property("80/10/10", "80 % [MASK], 10 % random, 10 % as they are.", masking.eighty_ten_ten),
    ),
    hints=(
        "How many words are there? words.max() + 1. torch.randperm(n)[:k] chooses k of them.",
        "pieces = words == word is True at the pieces of a word: both tensors can be set there at once.",
        "One torch.rand(()) a word: below 0.8 all pieces become mask_id, below 0.9 random, else they stay.",
    ),
    teaches="A piece is often easy to guess from its neighbours; without them the model needs the sentence.",
)

WHOLE_BATCH_LOSS = written(
    answers.whole_batch_loss,
    notebook="02_bert",
    title="Write the masked-word loss of a batch that comes in parts, with the right normaliser.",
    properties=(
        Property("one number", "The loss is a mean: one finite number.", masking.loss_is_one_number),
        Property(
            "knowing nothing costs ln V",
            "With all logits 0 each word asked for costs ln V, and so does their mean.",
            masking.knowing_nothing_costs_ln_v,
        ),
        Property(
            "what is not asked weighs nothing",
            "Targets of -100 ask for nothing.",
            masking.unasked_weigh_nothing,
        ),
        Property(
            "each word weighs the same",
            "Sum over all words asked for in all parts, and divide once by how many they are.",
            masking.each_word_weighs_the_same,
        ),
        Property(
            "a part without questions", "It adds nothing, above and below the line.", masking.an_empty_part
        ),
        Property("it can be trained", "Return a tensor with its gradient.", masking.trainable),
    ),
    hints=(
        "Two running totals: what all words cost, and how many words were asked for.",
        'F.cross_entropy(logits.mT, targets, reduction="sum") leaves targets of -100 out by itself.',
        "Divide once, at the end. A mean of the parts' means would weigh a lonely word too much.",
    ),
    teaches="A mean of means is no mean: count the words, not the parts.",
)

HONEST_PAIRS = written(
    answers.honest_pairs,
    stub=LEAKY_PAIRS,
    notebook="02_bert",
    title="Find the leak: on these pairs a model that never reads A beats a coin by far. Repair it.",
    properties=(
        Property("n pairs", "A list of n tuples (A, B, follows).", pairs.n_pairs),
        Property("half and half", "As many pairs that follow as do not.", pairs.half_and_half),
        Property("true pairs follow", "True: B is the very next sentence.", pairs.true_pairs_follow),
        Property("wrong pairs are wrong", "False: B is of another document.", pairs.wrong_pairs_are_wrong),
        Property(
            "B alone tells nothing",
            "Under both labels B has to come from the same places of a document, equally often.",
            pairs.b_alone_tells_nothing,
        ),
        Property("all of the text", "Any sentence but a first one can be B.", pairs.all_of_the_text),
    ),
    hints=(
        "Where in its document can B stand when it follows? And where when it does not?",
        "A B that follows is never a first sentence, and first sentences read unlike others.",
        "Take the wrong B from the same place of the other document.",
    ),
    teaches="Before you praise a model, let one answer that cannot see the question.",
)

FIT_PAIR = written(
    answers.fit_pair,
    notebook="02_bert",
    title="Pack two texts that may be too long: cut the longer one, token by token, until they fit.",
    properties=(
        Property("two lists", "Each token has its segment.", pairs.two_lists),
        Property("the frame", "[CLS] a [SEP] b [SEP], whatever is cut.", pairs.the_frame),
        Property("it fits", "At most context tokens, the three special ones too.", pairs.it_fits),
        Property("no more than needed", "Stop as soon as it fits.", pairs.cut_no_more_than_needed),
        Property(
            "the longer one is cut",
            "Drop the last token of the longer text; of b where they are equally long.",
            pairs.the_longer_is_cut,
        ),
        Property("segments", "0 up to the first [SEP] with it, then 1.", pairs.the_segments),
    ),
    hints=(
        "Cut first, pack later: then [CLS] and [SEP] cannot be lost.",
        "While len(a) + len(b) + 3 > context, drop the last token of a or of b. Work on copies.",
        "Segments: len(a) + 2 zeros ([CLS] and the first [SEP] count), len(b) + 1 ones.",
    ),
    teaches="Cutting the row's end would lose b and its [SEP]: what the model reads is your first decision.",
)

QUESTIONS_NEEDED = written(
    answers.questions_needed,
    stub="questions_needed = ...  # your estimate",
    notebook="02_bert",
    title="Estimate: the expert's share stays 85.0 %. After how many questions is 86.3 % above its interval?",
    properties=(
        Property("a number of questions", "At least one.", pairs.a_number_of_questions),
        Property("more than 100", "100 is what the paper had.", pairs.more_than_were_asked),
        Property("86.3 is outside", "The interval's upper end has to fall below 86.3 %.", pairs.outside),
        Property("no more than needed", "Find about the least number.", pairs.no_more_than_needed),
    ),
    hints=(
        "The interval's half width is about 1.96 · √(p (1 - p) / n). It has to shrink to the gap.",
        "With p = 0.85 the root is 0.357 / √n. The gap is 0.863 - 0.850 = 0.013.",
        "√n = 1.96 · 0.357 / 0.013 = 53.8. Square it.",
    ),
    teaches="A gap of 1.3 points takes almost 3,000 questions, and twice as sharp a look four times as many.",
)

EXERCISES = (LTR_CEILING, FIT_PAIR, MASK_WORDS, WHOLE_BATCH_LOSS, HONEST_PAIRS, QUESTIONS_NEEDED)
