"""The judge: rendered truth, this network, this training, then its thresholds and its own errors measured.
Rebuilds the shipped checkpoint and its error matrix:

python -m lecture10.recipes.judge
"""

import json
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
LESSONS = Lessons()
SETTINGS = TrainSettings(steps=4000, lr=4e-3, weight_decay=0.05, warmup=0.03, clip=5.0)
COMMAND = "python -m lecture10.recipes.judge"


def learn(
    config: JudgeConfig = CONFIG, settings: TrainSettings = SETTINGS, *, seed: int = 0,
    lessons: Lessons = LESSONS, **how,
) -> tuple[JudgeNet, History]:  # fmt: skip
    """A fresh judge trained on `lessons`; `how` is handed to `train`."""
    torch.manual_seed(seed)
    net = JudgeNet(config).to(memory_format=torch.channels_last)

    def pictures(batch: dict) -> int:
        return len(batch["image"])

    history = train(
        net, judge_loss, lessons, settings, seed=seed, count=pictures, unit="pictures", label="judge", **how
    )
    return net, history


def ship(net: JudgeNet, path: Path, *, seed: int, steps: int, minutes: float, n: int = 500) -> Card:
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


def build(path: Path | None = None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it to `data/checkpoints/judge` (or `path`)."""
    net, history = learn(settings=settings, seed=seed, **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    path = path or data_folder() / NAME
    return ship(net.cpu(), path, seed=seed, steps=history.done, minutes=round(history.minutes, 1))


if __name__ == "__main__":
    print(build(checkpoint="runs/judge").metrics)
