"""One answer or three: SAM and its twin with a single mask, for one click and for nine.

Two networks a seed, alike but for the mask tokens: three answers for one click, or one. Both are trained on
the same pictures with the same clicks, and asked about test pairs, which neither has ever seen. Every claim
is read off these two trainings.
"""

from lecture10.claims import Claim, Row, difference
from lecture10.experiments import _sam_asking as ask
from lecture10.experiments._sam_asking import CENTRE, GUESSED, MOST, ONE_CLICK, SINGLE, THREE
from lecture10.experiments._sam_small import BATCH, CONFIG, ONE, SCENES, SETTINGS, SIZE
from lecture10.recipes import sam as recipe
from lecture10.recipes.clicks import Clicks

ASKED = Clicks(60, 4, SIZE, knobs=SCENES | {"split": "test"})

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
)


def run(seed: int) -> list[Row]:
    """One paired seed: both networks, on the same fresh test scenes, with the same first clicks."""
    three, one = (
        recipe.learn(config, SETTINGS, seed=seed, batches=BATCH, quiet=True)[0].eval()
        for config in (CONFIG, ONE)
    )
    asked = ask.scenes(ASKED, seed)
    single = recipe.click_through(one, asked, 1, first=asked.point)[0][0]
    rows = [*ask.one_click(three, asked, seed), ask.row(SINGLE, ONE_CLICK, single, seed)]
    return [*rows, *ask.nine_clicks({GUESSED: three, SINGLE: one}, asked, seed)]
