"""The exercises of 12_latent_diffusion: why latents, two repairs, words, guidance, a joint score."""

from lecture10.exercises.answers import latent as answers
from lecture10.exercises.checks import latent_space as space
from lecture10.exercises.checks import latent_words as words
from lecture10.exercises.exercise import Property, written

BROKEN_LOSS = '''import torch


def repair_latent_loss(
    pictures: torch.Tensor,
    back: torch.Tensor,
    mean: torch.Tensor,
    log_variance: torch.Tensor,
    weight: float,
) -> torch.Tensor:
    """The autoencoder's loss: squared error and weight · KL(q ‖ N(0, 1)), both per number of the pictures.

    pictures, back (B, 3, S, S): what went in and what came out; mean, log_variance (B, z, h, h): μ, ln σ².
    The KL of a picture is summed over its latent, then divided by the 3 S² numbers of the picture.
    """
    error = (back - pictures).square().mean()
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    return error + weight * kl'''
BROKEN_DRAW = '''import torch


def repair_draw(z: torch.Tensor, scale: float, decode) -> torch.Tensor:
    """From what sampling ends with to pictures (B, 3, S, S) in [0, 1].

    z (B, z, h, h): latents as the U-Net knows them. Training multiplied the encoder's latents by `scale`, so
    that their variance is 1. decode: takes latents as the encoder gives them; returns about [-1, 1].
    """
    return decode(z * scale).clamp(0, 1)'''

ATTENTION_SAVED = written(
    answers.attention_saved,
    stub="attention_saved = ...  # your prediction: how many times fewer scores",
    notebook="12_latent_diffusion",
    title="512 × 512 × 3 become 64 × 64 × 4 (f = 8). By how much do self-attention's scores shrink?",
    properties=(
        Property("one number", "A prediction is one number.", space.saved_is_one_number),
        Property(
            "a saving",
            "How many times fewer: a number above 1, not a share of what there was.",
            space.saved_is_more_than_one,
        ),
        Property("both sides", "f counts along one side; a picture has two.", space.saved_counts_both_sides),
        Property(
            "places, not numbers",
            "Self-attention compares places; channels only make each place's vector.",
            space.saved_counts_no_channels,
        ),
        Property(
            "pairs of places",
            "With P places there are P² scores: the saving in places counts twice.",
            space.saved_counts_pairs,
        ),
        Property("f to the fourth", "f² fewer places, f⁴ fewer scores.", space.saved_is_the_fourth_power),
    ),
    hints=(
        "How many places has each map, and how many pairs of places?",
        "512² places against 64²: that is 64 times fewer. Each place looks at every place.",
        "64 ** 2, which is 8 ** 4",
    ),
    teaches="Attention between pixels is out of reach, between latents it is cheap: so the U-Net can attend.",
)

REPAIR_LATENT_LOSS = written(
    answers.repair_latent_loss,
    stub=BROKEN_LOSS,
    notebook="12_latent_diffusion",
    title="With this loss every picture comes back as the same gray. Which of its two terms is too loud?",
    properties=(
        Property("one number", "A loss is one number.", space.loss_is_one_number),
        Property(
            "a KL is a cost",
            "KL = ½ Σ (μ² + σ² − 1 − ln σ²) is 0 at N(0, 1), and added, not taken away.",
            space.the_kl_is_a_cost,
        ),
        Property(
            "whatever the batch",
            "The error is a mean over the batch; a KL summed over it grows with B.",
            space.copies_change_nothing,
        ),
        Property(
            "whatever the size",
            "The error is a mean over the picture; the KL has to be divided as well.",
            space.a_larger_picture_weighs_alike,
        ),
        Property(
            "one unit",
            "Divide the sum of the KL by the numbers of the picture, 3 S², not by the latent's z h².",
            space.both_count_per_number_of_the_picture,
        ),
    ),
    hints=(
        "By how many numbers is the error divided, and by how many the KL?",
        "error is a mean over B · 3 · S · S numbers. kl is a sum over B · z · h · h, divided by nothing.",
        "return error + weight * kl / pictures.numel()",
    ),
    teaches="weight = 10⁻⁶ means little by itself: over which numbers error and KL are averaged decides.",
)

REPAIR_DRAW = written(
    answers.repair_draw,
    stub=BROKEN_DRAW,
    notebook="12_latent_diffusion",
    title="Sampling ended well, yet these pictures are dull and dark. Two things are wrong on the way out.",
    properties=(
        Property(
            "a picture",
            "Return what `decode` makes, nothing cut off.",
            space.pictures_have_the_decoders_shape,
        ),
        Property(
            "in [0, 1]",
            "A decoder may go a little beyond its range: clamp.",
            space.pictures_lie_between_zero_and_one,
        ),
        Property(
            "latents get their size back",
            "What was multiplied for training is divided before decoding, by that number.",
            space.latents_get_their_size_back,
        ),
        Property(
            "gray stays gray",
            "−1 is black and 1 is white: x / 2 + 0.5.",
            space.gray_stays_gray,
        ),
    ),
    hints=(
        "Which numbers has the decoder been trained on? And what does a 0 from it stand for?",
        "z = scale · (the encoder's latents), so the decoder wants z / scale. Its −1 … 1 become 0 … 1.",
        "decode(z / scale).clamp(-1, 1) / 2 + 0.5",
    ),
    teaches="Stable Diffusion's 0.18215 is such a number; a decoder given latents unscaled draws a haze.",
)

LOOK_AT_WORDS = written(
    answers.look_at_words,
    notebook="12_latent_diffusion",
    title="Write the slide's conditioning: each place of the picture looks at the words of the prompt.",
    properties=(
        Property(
            "(B, P, d)",
            "Queries come from the picture: one answer a place.",
            words.every_place_gets_an_answer,
        ),
        Property(
            "words share each place",
            "The softmax goes over the real words: a place's weights sum to 1.",
            words.one_word_is_all_there_is,
        ),
        Property(
            "padding does not matter",
            "Scores of words with real = False are −∞ before the softmax.",
            words.padding_does_not_matter,
        ),
        Property(
            "each place for itself",
            "Normalise over words, not over places.",
            words.places_ask_for_themselves,
        ),
        Property(
            "the root of d",
            "Divide q · k by √d, d the width of a query.",
            words.scores_are_divided_by_the_root,
        ),
    ),
    hints=(
        "Who asks, and who is asked? Q decides how many answers there are.",
        "scores (B, P, L) = q kᵀ / √d; −∞ at padding; softmax over the last axis; times v.",
        "scores.masked_fill(~real[:, None], -math.inf).softmax(-1) @ v",
    ),
    teaches="Every place is offered the same words, and takes from them what concerns it.",
)

DROP_WHOLE_PROMPTS = written(
    answers.drop_whole_prompts,
    notebook="12_latent_diffusion",
    title="Guidance needs a network that can do without a prompt. Leave some out while it trains.",
    properties=(
        Property("ids stay ids", "Return (B, T) token ids, as they came.", words.ids_stay_ids),
        Property(
            "whole or not at all",
            "One lot decides over one prompt, not over one word.",
            words.whole_or_not_at_all,
        ),
        Property(
            "the empty prompt",
            "A prompt without words is end tokens; sampling will ask with just that.",
            words.dropped_prompts_are_empty,
        ),
        Property(
            "the lots decide", "Dropped are those whose lot lies below the share.", words.the_lots_decide
        ),
    ),
    hints=(
        "One number a prompt: it has to reach all tokens of its row.",
        "A (B, 1) mask spreads over (B, T): (lots < share)[:, None].",
        "ids.masked_fill((lots < share)[:, None], end)",
    ),
    teaches="Dropping single words would teach shorter prompts, not the answer without any.",
)

GUIDE_BY_PAPER = written(
    answers.guide_by_paper,
    notebook="12_latent_diffusion",
    title="The same guidance in the other convention: Ho & Salimans' w, which does nothing at 0.",
    properties=(
        Property("one answer a prompt", "Two answers become one.", words.one_answer_for_each_prompt),
        Property(
            "0 is off",
            "In the paper w = 0 leaves ε(z, c), the last half; the libraries' scale does so at 1.",
            words.at_zero_nothing_changes,
        ),
        Property(
            "where both agree",
            "The factors sum to 1: (1 + w) − w.",
            words.where_both_agree_there_is_nothing_to_guide,
        ),
        Property(
            "away from no prompt",
            "On from the prompt's answer, away from the other: with + w (with − without).",
            words.away_from_no_prompt,
        ),
    ),
    hints=(
        "Which half is which? And what must be left at w = 0?",
        "said.chunk(2) gives (without, with). The notebook's scale is w + 1.",
        "(1 + w) * with_prompt - w * without",
    ),
    teaches="A paper's w = 2 is a library's guidance_scale = 3: before two results are compared, ask which.",
)

JOINT_AND_PRODUCT = written(
    answers.joint_and_product,
    notebook="12_latent_diffusion",
    title="If each part is right in 90 % of pictures, how many pictures are right in everything?",
    properties=(
        Property("two numbers", "(joint, product), two shares in [0, 1].", words.two_numbers),
        Property(
            "joint: whole pictures",
            "A picture counts where all of its parts are right.",
            words.joint_is_of_whole_pictures,
        ),
        Property(
            "product: part by part",
            "First each part's accuracy over all pictures, then their product.",
            words.product_is_of_parts,
        ),
        Property(
            "shared mistakes",
            "Count pictures, and all k parts: errors may fall together.",
            words.shared_mistakes_are_cheaper,
        ),
    ),
    hints=(
        "One is an `all` along the parts, then a mean; the other a mean along the pictures, then a product.",
        "right.all(1) says which pictures are whole; right.float().mean(0) is each part's accuracy.",
        "float(right.all(1).float().mean()), float(right.float().mean(0).prod())",
    ),
    teaches="Joint below the product: the parts get in each other's way. Above it: they fail together.",
)

EXERCISES = (
    ATTENTION_SAVED,
    REPAIR_LATENT_LOSS,
    REPAIR_DRAW,
    LOOK_AT_WORDS,
    DROP_WHOLE_PROMPTS,
    GUIDE_BY_PAPER,
    JOINT_AND_PRODUCT,
)
