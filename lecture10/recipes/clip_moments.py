"""Five moments of one CLIP's training, for the time machine: one run, copied out as it went by.

A small CLIP, pictures of 32 × 32 with one thing each. Rebuilds the shipped checkpoints (a few minutes):

python -m lecture10.recipes.clip_moments
"""

import copy

from torch import nn

from lecture10.devices import pick_device
from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.vision import ResNetConfig
from lecture10.paths import data_folder, data_path
from lecture10.recipes.captions import Pairs
from lecture10.recipes.clip import DATA, learn, zero_shot_accuracy
from lecture10.training import Card, TrainSettings, load_weights, save_weights

NAME = "checkpoints/clip_moments"
CONFIG = CLIPConfig(
    ResNetConfig(image_size=32, width=12, layers=(1, 1, 1), heads=4, stem_stride=2),
    TextConfig(vocab_size=512, context=32, width=64, layers=2, heads=2),
    embed=64,
    gelu="exact",
)
MOMENTS = (10, 50, 150, 400, 1200)  # steps; about three times as far each time
EVERY = 10  # steps between two looks at the run
SETTINGS = TrainSettings(steps=MOMENTS[-1], lr=3e-3, weight_decay=0.1, betas=(0.9, 0.98))
BATCH = Pairs(n=128, size=32, kind="short", context=32, knobs={"things": 1})
COMMAND = "python -m lecture10.recipes.clip_moments"


class Moments(nn.ModuleDict):
    """Copies of one CLIP: its state after so many steps under the name "step_N"."""

    def __init__(self, config: CLIPConfig, moments: tuple[int, ...]):
        super().__init__({f"step_{step}": CLIP(config) for step in moments})
        self.config, self.moments = config, moments

    def at(self, step: int) -> CLIP:
        """The CLIP after so many steps. Raises ValueError, naming the moments there are."""
        if step not in self.moments:
            raise ValueError(f"step {step} was not kept: there are {', '.join(map(str, self.moments))}")
        return self[f"step_{step}"]


class Keeper:
    """Called every `every` steps of a run: copies the model out where the step is one of the moments."""

    def __init__(self, kept: Moments, every: int):
        self.kept, self.every, self.step = kept, every, 0

    def __call__(self, clip: CLIP) -> dict[str, float]:
        """Nothing is measured, so that the run's history stays as it is."""
        self.step += self.every
        if self.step in self.kept.moments:
            self.kept.at(self.step).load_state_dict(copy.deepcopy(clip.state_dict()))
        return {}


def build(path=None, settings: TrainSettings = SETTINGS, moments: tuple[int, ...] = MOMENTS, **how) -> Card:
    """Train one run, keep its moments, and write them with their card to `data/checkpoints/clip_moments`."""
    if wrong := [step for step in moments if step % EVERY or not 0 < step <= settings.steps]:
        raise ValueError(
            f"moment {wrong[0]}: the run is looked at every {EVERY} of its {settings.steps} steps"
        )
    kept = Moments(CONFIG, moments)
    keep = Keeper(kept, EVERY)
    how = {"batches": BATCH, "seed": 0, "workers": 0} | how
    _, history = learn(CONFIG, settings, evaluate=keep, evaluate_every=EVERY, label="moments", **how)
    half = kept.cpu().half().float().eval()
    right = {f"dev_{name}": round(zero_shot_accuracy(clip, "dev"), 4) for name, clip in half.items()}
    card = Card(
        architecture="clip_moments", config=CONFIG, seed=how["seed"], steps=history.done, data_version=DATA,
        metrics=right, minutes=round(history.minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / NAME, card)


def load(device: str | None = None) -> dict[int, CLIP]:
    """step -> the CLIP at that moment, in eval mode.

    Raises WeightsError, with the command that rebuilds them, where they cannot be used.
    """
    kept = Moments(CONFIG, MOMENTS)
    load_weights(kept, data_path(f"{NAME}.safetensors"), architecture="clip_moments", data_version=DATA)
    kept = kept.eval().to(pick_device(device))
    return {step: kept.at(step) for step in MOMENTS}


if __name__ == "__main__":
    print(build().metrics)
