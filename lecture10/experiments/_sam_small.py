"""The SAM that SAM's experiments train: small pictures of large things, two minutes on a core."""

from dataclasses import replace

from lecture10.models.sam import SAMConfig
from lecture10.models.sam_conv import SamConvConfig
from lecture10.recipes.clicks import Clicks
from lecture10.training import TrainSettings

SIZE = 64  # pixels: with large things a head has 20, an eye 4, so that most clicks mean one or two things
CONFIG = SAMConfig(SamConvConfig(SIZE, (32, 64, 96), (1, 1, 1)))
ONE = replace(CONFIG, multimask=0)  # the same network with one mask token in place of four
SCENES = {"things": (1, 2), "sizes": "large"}
BATCH = Clicks(8, 4, SIZE, knobs=SCENES | {"split": "train"})
SETTINGS = TrainSettings(steps=500, lr=2e-3, weight_decay=0.05, warmup=0.03)
