"""200 drawn pictures as a person saw them, beside what the judge says of them: does one trust the judge?

Draw the pictures again: python -m lecture10.recipes.eye FOLDER (sheets of 20, to be looked at). The labels
in data/labels/ldm_eye.csv were written by looking at the sheets with the judge's answers hidden.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lecture10.judge.correction import corrected_rate, measured_errors
from lecture10.judge.following import HOLDS, follows
from lecture10.paths import data_path
from lecture10.recipes import autoencoder, ldm

if TYPE_CHECKING:
    import pandas

LABELS = "labels/ldm_eye.csv"
EACH, SEED = 100, 4242  # pictures of known pairs, and of new ones
KINDS = {0: "known pairs", 2: "new pairs"}
ASPECTS = ("nouns", "colours", "relations")


def asked() -> list[tuple[int, str]]:
    """(how many new pairs, prompt) of each of the 200 pictures, in their order."""
    return [(new, prompt) for new in KINDS for prompt in ldm.prompts_of(EACH, SEED, new)]


def drawn() -> Tensor:
    """The 200 pictures (200, 3, 64, 64) in [0, 1], from the shipped model."""
    model, decoder = ldm.load("cpu"), autoencoder.load("cpu")
    prompts = [prompt for _, prompt in asked()]
    return torch.cat([ldm.draw(model, decoder, prompts[at : at + EACH], seed=SEED + at) for at in (0, EACH)])


def judged(pictures: Tensor) -> list[dict[str, bool]]:
    """Whether each aspect holds in each picture, as the judge sees it."""
    said = [follows(image, prompt) for image, (_, prompt) in zip(pictures, asked(), strict=True)]
    return [{aspect: getattr(f, aspect) == HOLDS for aspect in ASPECTS} for f in said]


def eye_table() -> "pandas.DataFrame":
    """The stored labels: number, new (0 or 2), prompt, and for each aspect eye_… and judge_… (0 or 1)."""
    import pandas as pd

    return pd.read_csv(data_path(LABELS))


def agreement(table: "pandas.DataFrame") -> "pandas.DataFrame":
    """By pairs and aspect: the share by eye, by the judge (raw, corrected), and how often they agree."""
    import pandas as pd

    rows = []
    for new, kind in KINDS.items():
        part = table[table.new == new]
        for aspect in ASPECTS:
            eye, judge = part[f"eye_{aspect}"], part[f"judge_{aspect}"]
            rate = corrected_rate(int(judge.sum()), len(judge), measured_errors(aspect, things=(2, 2)))
            rows.append({
                "pairs": kind, "aspect": aspect, "by eye": f"{eye.mean():.0%}",
                "judge, raw": f"{rate.raw:.0%}",
                "corrected": f"{rate.corrected:.0%} [{rate.low:.0%}, {rate.high:.0%}]",
                "agree": f"{(eye == judge).mean():.0%}",
            })  # fmt: skip
    return pd.DataFrame(rows).set_index(["pairs", "aspect"])


def sheets(folder: Path, each: int = 20) -> None:
    """Write the pictures as numbered sheets with their prompts."""
    import matplotlib.pyplot as plt

    pictures, prompts = drawn(), asked()
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(pictures), each):
        fig, axes = plt.subplots(4, each // 4, figsize=(16, 15))
        for at, ax in enumerate(axes.flat, first):
            ax.imshow(pictures[at].permute(1, 2, 0))
            text = prompts[at][1]
            ax.set_title(f"{at}: {text[:32]}\n{text[32:]}", fontsize=10)
            ax.axis("off")
        fig.tight_layout()
        fig.savefig(folder / f"sheet_{first:03}.png", dpi=60)
        plt.close(fig)


if __name__ == "__main__":
    sheets(Path(sys.argv[1]))
