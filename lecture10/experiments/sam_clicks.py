"""What a click can tell, and what more clicks do: SAM, its twin with a single mask, and a watershed.

Two networks a seed, alike but for the mask tokens: three answers for one click, or one. Both are trained on
the same pictures with the same clicks, and asked about test pairs, which neither has ever seen. Every claim
is read off these two trainings.
"""

import torch
from torch import Tensor

from lecture10.claims import Claim, Row, difference, slope
from lecture10.experiments._sam_small import BATCH, CONFIG, ONE, SCENES, SETTINGS, SIZE, TEST_SEED
from lecture10.models.sam import SAM
from lecture10.models.sam_loss import iou
from lecture10.recipes import sam as recipe
from lecture10.recipes import watershed
from lecture10.recipes.clicks import Clicks, Prompts, ceiling, next_click
from lecture10.recipes.coins import windows
from lecture10.world import vocabulary as v

CLICKS = (1, 2, 3, 5, 9)
PICTURES, EACH = 60, 4
WINDOWS = (64, 96, 128, 192)  # pixels of the photograph's 384 × 303; a coin is 36 to 64 wide
ONE_CLICK, CENTRE, ANYWHERE = "IoU, one click", "IoU, centre clicks", "IoU, random clicks"
THREE, GUESSED, SINGLE, SHED = "best of three", "guessed best of three", "one mask", "watershed"
AT_RANDOM, MOST = "any of three", "ceiling of one mask"

HOW = {"minutes": 8, "seeds": 3, "pixels": SIZE, "runs": 2}
TOY = "real pictures, whose parts nest deeper; a billion masks; a network of 600 million numbers"
CLAIMS = (
    Claim(
        "sam.ambiguity",
        slide="SAM: one click, three masks",
        says="After one click the best of three masks is nearer to what was meant than a single mask is.",
        effect=difference(THREE, SINGLE, metric=ONE_CLICK),
        margin=0.05,
        paper="ahead of RITM on all 23 data sets if an oracle picks among SAM's masks, on 16 if not",
        expects="shown",
        does_not_test=TOY,
        **HOW,
    ),
    Claim(
        "sam.ambiguity.ceiling",
        slide="SAM: one click, three masks",
        says="A single mask does as well as arithmetic allows where a click means each level equally often.",
        effect=difference(SINGLE, MOST, metric=ONE_CLICK),
        margin=0.05,
        expects="opposite",
        does_not_test="clicks of people, who mean the whole more often than a part",
        **HOW,
    ),
    Claim(
        "sam.ambiguity.intent",
        slide="SAM: one click, three masks",
        says="The one of three masks whose guessed IoU is highest is nearer to what was meant than a single "
        "one.",
        effect=difference(GUESSED, SINGLE, metric=ONE_CLICK),
        margin=0.05,
        expects="no difference",
        does_not_test=TOY,
        **HOW,
    ),
    Claim(
        "sam.clicks",
        slide="SAM vs. RITM: center points and random points",
        says="After nine clicks SAM and its twin with a single mask differ.",
        effect=difference(GUESSED, SINGLE, metric=CENTRE, at=9),
        margin=0.03,
        paper="the gap between SAM and other methods decreases as the number of points increases",
        expects="no difference",
        does_not_test="RITM, another network, trained on other masks for many clicks",
        **HOW,
    ),
    Claim(
        "sam.clicks.classical",
        slide="SAM vs. RITM: center points and random points",
        says="One click in the middle is worth more to SAM than to a watershed that has learnt nothing.",
        effect=difference(GUESSED, SHED, metric=CENTRE, at=1),
        margin=0.05,
        expects="shown",
        does_not_test="photographs, where textures draw edges of their own",
        **HOW,
    ),
    Claim(
        "sam.clicks.random",
        slide="SAM vs. RITM: center points and random points",
        says="With clicks anywhere in the error, not in its middle, SAM leads the watershed at nine clicks.",
        effect=difference(GUESSED, SHED, metric=ANYWHERE, at=9),
        margin=0.05,
        expects="shown",
        does_not_test="RITM; people's clicks, which are neither central nor random",
        **HOW,
    ),
    Claim(
        "sam.calibration",
        slide="SAM: mask decoder with a head that guesses the IoU",
        says="The guessed IoUs explain more than three tenths of how the true ones vary (R²).",
        effect=difference("guesses", 0.3, metric="R² of the IoU"),
        margin=0.05,
        expects="can't tell",
        does_not_test="whether people would rate the masks alike",
        **HOW,
    ),
    Claim(
        "sam.transfer",
        slide="SAM: 23 diverse data sets",
        says="A SAM that saw one style alone is as good at sketches.",
        effect=difference("sketch", "photo", metric="IoU, best of three"),
        margin=0.05,
        expects="opposite",
        does_not_test="eleven million photographs of all kinds: ours were all of one style",
        **HOW,
    ),
    Claim(
        "sam.transfer.coins",
        slide="SAM: 23 diverse data sets",
        says="On a photograph of coins, which it never saw, the mask is the better the larger the coin.",
        effect=slope("coins", metric="IoU of coins", log="x", falls=True),
        margin=0.05,
        expects="shown",
        does_not_test="other photographs; the reference is a textbook segmentation, drawn by no person",
        **HOW,
    ),
)


def run(seed: int) -> list[Row]:
    """One paired seed: both networks, on the same fresh test scenes, with the same first clicks."""
    three, one = (
        recipe.learn(config, SETTINGS, seed=seed, batches=BATCH, quiet=True)[0].eval()
        for config in (CONFIG, ONE)
    )
    asked = scenes(seed)
    rows = [*_ambiguity(three, one, asked, seed), *_clicks(three, one, asked, seed)]
    return [*rows, *_styles(three, seed), *_coins(three, seed)]


def scenes(seed: int, style: str = "photo", pictures: int = PICTURES) -> Prompts:
    """Test scenes of a seed, the same things at the same places in every style."""
    dice = torch.Generator().manual_seed(TEST_SEED + 1000 * seed)
    return Clicks(pictures, EACH, SIZE, knobs=SCENES | {"split": "test", "styles": style})(dice)


def _row(variant: str, metric: str, values: Tensor, seed: int, at: float | None = None) -> Row:
    return Row(variant, metric, float(values.double().mean()), seed, at=at, n=len(values))


def _ambiguity(three: SAM, one: SAM, asked: Prompts, seed: int) -> list[Row]:
    """One random click inside the target: every level that it could mean is as likely."""
    _, answer = recipe.click_through(three, asked, 1, first=asked.point)
    (single,), _ = recipe.click_through(one, asked, 1, first=asked.point)
    ious, guessed = answer["ious"], answer["guessed"]
    found = {THREE: ious.amax(1), GUESSED: recipe.best_guess(ious, guessed), AT_RANDOM: ious.mean(1)}
    found |= {SINGLE: single, MOST: ceiling(asked.levels)}
    rows = [_row(name, ONE_CLICK, values, seed) for name, values in found.items()]
    all_levels = torch.stack(
        [iou(answer["masks"], level) for level in asked.levels.unbind(1)], 1
    )  # (N, 3, M)
    nearest = all_levels.amax(1)  # an IoU head can know how near a mask is to SOME level
    for name, true in (("guesses", ious), ("guesses, any level", nearest)):
        error, spread = (guessed - true).square().mean(), (true - true.mean()).square().mean()
        rows.append(Row(name, "R² of the IoU", float(1 - error / spread), seed, n=ious.numel()))
    return rows


def _clicks(three: SAM, one: SAM, asked: Prompts, seed: int) -> list[Row]:
    """Nine clicks: first and next in the middle of the error, or first and next anywhere in it."""
    rows = []
    dice = torch.Generator().manual_seed(seed)

    def anywhere(mask: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        return next_click(mask, target, dice)

    for metric, how in ((CENTRE, {}), (ANYWHERE, {"where": anywhere, "first": asked.point})):
        curves = {
            GUESSED: recipe.click_through(three, asked, max(CLICKS), **how)[0],
            SINGLE: recipe.click_through(one, asked, max(CLICKS), **how)[0],
            SHED: watershed.click_through(asked, max(CLICKS), **how),
        }
        rows += [
            _row(name, metric, curve[k - 1], seed, at=k) for name, curve in curves.items() for k in CLICKS
        ]
    return rows


def _styles(three: SAM, seed: int) -> list[Row]:
    rows = []
    for style in v.STYLES:
        asked = scenes(seed, style)
        _, answer = recipe.click_through(three, asked, 1, first=asked.point)
        rows.append(_row(style, "IoU, best of three", answer["ious"].amax(1), seed))
    return rows


@torch.no_grad()
def _coins(three: SAM, seed: int) -> list[Row]:
    rows = []
    for window in WINDOWS:
        image, target, point = windows(window, SIZE)
        label = torch.ones(len(image), 1, dtype=torch.long)
        logits, guessed = three.decode(three.embed(image), point[:, None], label)
        ious = iou(three.full_size(logits) > 0, target)
        found = {"coins": ious.amax(1), "coins, guessed best": recipe.best_guess(ious, guessed)}
        rows += [_row(name, "IoU of coins", values, seed, at=window) for name, values in found.items()]
    return rows
