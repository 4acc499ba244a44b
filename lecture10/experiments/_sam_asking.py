"""How SAM is asked in its experiments: test scenes, one click, nine clicks; each as rows."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from lecture10.claims import Row
from lecture10.models.sam import SAM
from lecture10.models.sam_loss import iou
from lecture10.recipes import sam as recipe
from lecture10.recipes.clicks import Clicks, Prompts, ceiling, next_click

TEST_SEED = 500_000  # test pictures of seed s are drawn from TEST_SEED + 1000 s on
CLICKS = (1, 2, 3, 5, 9)
ONE_CLICK, CENTRE, ANYWHERE = "IoU, one click", "IoU, centre clicks", "IoU, random clicks"
THREE, GUESSED, SINGLE, SHED = "best of three", "guessed best of three", "one mask", "watershed"
AT_RANDOM, MOST = "any of three", "ceiling of one mask"


def scenes(asked: Clicks, seed: int, style: str = "photo") -> Prompts:
    """Test scenes of a seed, the same things at the same places in every style."""
    dice = torch.Generator().manual_seed(TEST_SEED + 1000 * seed)
    return replace(asked, knobs=asked.knobs | {"styles": style})(dice)


def row(variant: str, metric: str, values: Tensor, seed: int, at: float | None = None) -> Row:
    """The mean of some values."""
    return Row(variant, metric, float(values.double().mean()), seed, at=at, n=len(values))


def one_click(sam: SAM, asked: Prompts, seed: int) -> list[Row]:
    """One random click inside the target: every level that it could mean is as likely."""
    _, answer = recipe.click_through(sam, asked, 1, first=asked.point)
    ious, guessed = answer["ious"], answer["guessed"]
    found = {THREE: ious.amax(1), GUESSED: recipe.best_guess(ious, guessed), AT_RANDOM: ious.mean(1)}
    rows = [
        row(name, ONE_CLICK, each, seed) for name, each in (found | {MOST: ceiling(asked.levels)}).items()
    ]
    to_any = torch.stack([iou(answer["masks"], level) for level in asked.levels.unbind(1)], 1)  # (N, 3, M)
    for name, true in (("guesses", ious), ("guesses, nearest level", to_any.amax(1))):
        error, spread = (guessed - true).square().mean(), (true - true.mean()).square().mean()
        rows.append(Row(name, "R² of the IoU", float(1 - error / spread), seed, n=ious.numel()))
    return rows


def nine_clicks(asking: Mapping[str, SAM | Callable], asked: Prompts, seed: int) -> list[Row]:
    """Nine clicks: first and next in the middle of the error, or first and next anywhere in it.

    asking: a SAM, or a function of (prompts, clicks, how) as `watershed.click_through` is.
    """
    rows = []
    for name, one in asking.items():
        dice = torch.Generator().manual_seed(seed)

        def anywhere(mask: Tensor, target: Tensor, dice=dice) -> tuple[Tensor, Tensor]:
            return next_click(mask, target, dice)

        for metric, how in ((CENTRE, {}), (ANYWHERE, {"where": anywhere, "first": asked.point})):
            if isinstance(one, SAM):
                curve = recipe.click_through(one, asked, max(CLICKS), **how)[0]
            else:
                curve = one(asked, max(CLICKS), **how)
            rows += [row(name, metric, curve[k - 1], seed, at=k) for k in CLICKS]
    return rows
