"""What is true of every right answer about latents: their number, the autoencoder's loss, the way back."""

import torch
from torch import Tensor

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, refuse, same, tensor

# --- attention_saved: a number


def saved_is_one_number(value):
    """One number."""
    number(value)


def saved_is_more_than_one(value):
    """Fewer places, fewer scores."""
    if number(value) <= 1:
        raise Broken(f"{number(value):.3g} would mean that the smaller map has as many scores or more")


def saved_counts_both_sides(value):
    """f counts along a side."""
    if number(value) < 16:
        raise Broken(f"{number(value):.3g}: a map of 64 × 64 is 8 times shorter along both of its sides")


def saved_counts_no_channels(value):
    """512 · 512 · 3 over 64 · 64 · 4 is 48."""
    if abs(number(value) - 48) < 0.5 or abs(number(value) - 48**2) < 1:
        raise Broken(
            f"{number(value):.4g} counts numbers: 3 channels and 4. A place is one token with either"
        )


def saved_counts_pairs(value):
    """64 is the ratio of places."""
    if number(value) < 2000:
        raise Broken(f"{number(value):.4g}: every place is compared with every place, not with one")


def saved_is_the_fourth_power(value):
    """8⁴."""
    same(number(value), 4096, "(512²)² scores over (64²)²", tolerance=0.01)


# --- repair_latent_loss: (pictures, back, mean, log_variance, weight) -> one number


def _autoencoded(seed: int, n: int = 3, side: int = 8, z: int = 2) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    roll = dice(seed)
    pictures, back = (torch.rand(n, 3, side, side, generator=roll) * 2 - 1 for _ in range(2))
    mean, log_variance = (torch.randn(n, z, side // 4, side // 4, generator=roll) for _ in range(2))
    return pictures, back, mean, log_variance


def _loss(fn, *given) -> float:
    return number(fn(*given))


def loss_is_one_number(fn):
    """A scalar."""
    _loss(fn, *_autoencoded(0), 0.1)


def the_kl_is_a_cost(fn):
    """None at N(0, 1), some elsewhere."""
    pictures, _, mean, log_variance = _autoencoded(1)
    none = torch.zeros_like(mean)
    same(_loss(fn, pictures, pictures, none, none, 1.0), 0.0, "back = pictures, μ = 0 and ln σ² = 0")
    for name, mu, ln in (("a moved mean", mean, none), ("another variance", none, log_variance)):
        got = _loss(fn, pictures, pictures, mu, ln, 1.0)
        if got <= 0:
            raise Broken(f"back = pictures, {name}: the loss is {got:.4g}, and a KL costs something")


def copies_change_nothing(fn):
    """The same batch twice."""
    once = _autoencoded(2)
    twice = [torch.cat([x, x]) for x in once]
    same(_loss(fn, *twice, 0.5), _loss(fn, *once, 0.5), "every picture stands in the batch twice")


def a_larger_picture_weighs_alike(fn):
    """Tiled: pictures and latents alike."""
    once = _autoencoded(3)
    tiled = [x.repeat(1, 1, 2, 2) for x in once]
    wanted = _loss(fn, *once, 0.5)
    same(_loss(fn, *tiled, 0.5), wanted, "pictures and latents tiled 2 × 2: as much error and KL a number")


def both_count_per_number_of_the_picture(fn):
    """3 S² numbers, not z h²."""
    pictures = torch.zeros(2, 3, 4, 4)
    mean = torch.full((2, 1, 2, 2), 6.0)  # 4 · 36 / 2 = 72 nats a picture of 48 numbers
    got = _loss(fn, pictures, pictures + 0.5, mean, torch.zeros_like(mean), 0.1)
    same(got, 0.25 + 0.1 * 1.5, "an error of 0.25, 72 nats a picture of 48 numbers, weight 0.1")


# --- repair_draw: (z, scale, decode) -> pictures


def _doubled(z: Tensor) -> Tensor:
    """A decoder that can be seen through: three copies of the first channel, twice as large."""
    return z[:, :1].repeat(1, 3, 2, 2)


def pictures_have_the_decoders_shape(fn):
    """(B, 3, S, S)."""
    tensor(fn(torch.rand(2, 4, 3, 3, generator=dice(4)) - 0.5, 0.5, _doubled), (2, 3, 6, 6))


def pictures_lie_between_zero_and_one(fn):
    """Also where the decoder goes beyond its range."""
    got = fn(3 * torch.randn(2, 4, 8, 8, generator=dice(5)), 0.8, _doubled)
    refuse(
        (got < 0) | (got > 1),
        lambda at: f"a pixel is {float(got[at]):.3f}: a picture to look at lies in [0, 1]",
    )


def latents_get_their_size_back(fn):
    """z = scale · what the encoder gave."""
    seen = []

    def decode(z):
        seen.append(z.clone())
        return _doubled(z)

    encoded = torch.randn(2, 4, 3, 3, generator=dice(6))
    for scale in (0.18215, 2.5):
        fn(encoded * scale, scale, decode)
        if not seen:
            raise Broken("`decode` was not called: it alone makes pictures of latents")
        agree(seen.pop(), encoded, f"scale = {scale}: what reaches the decoder", tolerance=1e-4)


def gray_stays_gray(fn):
    """From [-1, 1] to [0, 1]: -1 is black, 0 is gray."""
    for value, wanted in ((-1.0, 0.0), (0.0, 0.5), (0.6, 0.8)):
        z = torch.full((1, 4, 2, 2), value)
        agree(
            fn(z, 1.0, _doubled), torch.full((1, 3, 4, 4), wanted), f"the decoder says {value:g} everywhere"
        )
