"""The judge: rendered truth, this network, this training, then its thresholds and its own errors measured.
Rebuilds the shipped checkpoint and its error matrix (about an hour on one core):

python -m lecture10.recipes.judge

It learns in three rounds, each from where the one before ended. After the first a hundredth of the things was
still missed and a fiftieth called unclear: the second has larger batches. What was missed then stood mostly
on, under or behind another thing: the third shows many such piles.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lecture10.files import write_text
from lecture10.judge.lessons import Lessons
from lecture10.judge.measuring import calibrate, measure
from lecture10.judge.model import JudgeConfig, JudgeNet, judge_loss
from lecture10.judge.thresholds import Thresholds
from lecture10.paths import data_folder
from lecture10.training import Card, History, TrainSettings, save_weights, train
from lecture10.world import WORLD_VERSION

NAME = "checkpoints/judge"
CONFIG = JudgeConfig()
FIRST = TrainSettings(steps=4000, lr=4e-3, weight_decay=0.05, warmup=0.03, clip=5.0)
ROUNDS = (
    (Lessons(), FIRST),
    (Lessons(sharp=64, coarse=16, hybrid=16), replace(FIRST, steps=2600, lr=3e-3)),
    (Lessons(sharp=64, coarse=16, hybrid=16, piles=0.5), replace(FIRST, steps=1400, lr=2e-3)),
)
COMMAND = "python -m lecture10.recipes.judge"


def learn(
    config: JudgeConfig = CONFIG,
    rounds: Sequence[tuple[Lessons, TrainSettings]] = ROUNDS,
    *,
    seed: int = 0,
    checkpoint: str | None = None,
    **how,
) -> tuple[JudgeNet, list[History]]:
    """A fresh judge, and the history of each round of its training.

    checkpoint: a folder for the rounds' states; `how` is handed to `train`.
    """
    torch.manual_seed(seed)
    net = JudgeNet(config).to(memory_format=torch.channels_last)

    def pictures(batch: dict) -> int:
        return len(batch["image"])

    histories: list[History] = []
    for number, (lessons, settings) in enumerate(rounds):
        folder = checkpoint and f"{checkpoint}/round-{number + 1}"
        history = train(
            net, judge_loss, lessons, settings, seed=seed + number, checkpoint=folder,
            count=pictures, unit="pictures", label="judge", **how,
        )  # fmt: skip
        histories.append(history)
        if history.interrupted:
            break
    return net, histories


def ship(net: JudgeNet, path: Path, *, seed: int, steps: int, minutes: float, n: int = 900) -> Card:
    """Measure a trained judge and write it with its card to `path`, and `path`_confusion.json beside it.

    What is measured is what is shipped: the weights are rounded to fp16 first.
    """
    path = Path(path)
    half = net.half().float().eval()
    thresholds = calibrate(half)
    found = measure(half, thresholds, n=n)
    card = Card(
        architecture="judge", config=net.config, seed=seed, steps=steps, data_version=WORLD_VERSION,
        metrics=_metrics(found["confusion"]), minutes=minutes, command=COMMAND, half=True,
    )  # fmt: skip
    card = save_weights(half, path, card)
    write_text(path.with_name(f"{path.name}_confusion.json"), _as_json(card, thresholds, found))
    return card


def _metrics(confusion: dict) -> dict[str, float]:
    """photo at 64 × 64 and 32 × 32: the shares that are right."""
    return {
        f"{style}_{size}_{name}": table[name]
        for size, styles in confusion.items()
        for style, table in styles.items()
        for name in ("noun", "colour", "count")
        if style == "photo"
    }


def _as_json(card: Card, thresholds: Thresholds, found: dict) -> str:
    """One line for each style's tables, so that a person can find things in it."""
    head = {"weights": card.sha256, "data_version": card.data_version, "thresholds": thresholds.as_dict()}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    for part, sizes in found.items():
        rows = [f"{json.dumps(size)}: {{\n{_rows(styles)}\n}}" for size, styles in sizes.items()]
        lines.append(f"{json.dumps(part)}: {{\n" + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _rows(styles: dict) -> str:
    return ",\n".join(f"  {json.dumps(style)}: {json.dumps(value)}" for style, value in styles.items())


def build(path: Path | None = None, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it to `data/checkpoints/judge` (or `path`)."""
    net, histories = learn(seed=seed, **how)
    if histories[-1].interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    steps, minutes = (sum(getattr(h, name) for h in histories) for name in ("done", "minutes"))
    return ship(net.cpu(), path or data_folder() / NAME, seed=seed, steps=steps, minutes=round(minutes, 1))


if __name__ == "__main__":
    print(build(checkpoint="runs/judge").metrics)
