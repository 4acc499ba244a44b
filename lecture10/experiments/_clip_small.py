"""The CLIP that CLIP's experiments train: small pictures, one thing each, a minute or two on a core."""

from lecture10.models.clip import CLIPConfig, TextConfig
from lecture10.models.vision import ResNetConfig
from lecture10.recipes.captions import Pairs
from lecture10.training import TrainSettings

SIZE = 32  # pixels
TEXT = TextConfig(vocab_size=512, context=32, width=96, layers=2, heads=3)
CONFIG = CLIPConfig(
    ResNetConfig(image_size=SIZE, width=16, layers=(1, 1, 1), heads=4, stem_stride=2),
    TEXT,
    embed=128,
    gelu="exact",
)
BATCH = Pairs(n=128, size=SIZE, kind="short", context=32, knobs={"things": 1})
SETTINGS = TrainSettings(steps=500, lr=3e-3, weight_decay=0.1, betas=(0.9, 0.98))
TEST_SEED = 500_000  # test pictures of seed s are drawn from TEST_SEED + 1000 s on
