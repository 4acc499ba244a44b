"""ResNet against vision transformer: the same captions, as much computed; which one learns more?"""

import torch
from torch.utils.flop_counter import FlopCounterMode

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._clip_small import BATCH, CONFIG, SETTINGS, SIZE, TEST_SEED, TEXT
from lecture10.models.clip import CLIP, CLIPConfig
from lecture10.models.vision import ViTConfig
from lecture10.recipes.clip import learn, zero_shot_accuracy
from lecture10.training import TrainSettings

TRANSFORMER = CLIPConfig(ViTConfig(SIZE, patch=4, width=96, layers=3, heads=3), TEXT, embed=128, gelu="exact")
TOWERS = {"ResNet": CONFIG, "ViT": TRANSFORMER}
LR = {"ResNet": SETTINGS.lr, "ViT": 1e-3}  # each the better of 1e-3 and 3e-3 on dev pairs

CLAIM = Claim(
    "clip.encoders",
    slide="CLIP: an image encoder of either kind",
    says="With as many operations a vision transformer names new pairs better than a ResNet.",
    effect=difference("ViT", "ResNet", metric="accuracy among 300"),
    margin=0.05,
    expects="opposite",
    does_not_test="large data: what a convolution assumes about pictures helps most where pairs are few",
    minutes=10,
    seeds=5,
    pixels=SIZE,
    runs=2,
)


def flops(config: CLIPConfig) -> int:
    """Floating-point operations of the picture tower's forward pass on one picture."""
    clip = CLIP(config).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        clip.embed_images(torch.zeros(1, 3, SIZE, SIZE))
    return counter.get_total_flops()


def steps(config: CLIPConfig) -> int:
    """So many steps that all towers compute as much as the ResNet does in SETTINGS.steps."""
    return round(SETTINGS.steps * flops(CONFIG) / flops(config))


def run(seed: int) -> list[Row]:
    """One paired seed: each tower trained on the same batches for as many operations."""
    rows = []
    for name, config in TOWERS.items():
        n = steps(config)
        settings = TrainSettings(steps=n, lr=LR[name], weight_decay=0.1, betas=(0.9, 0.98))
        clip, _ = learn(config, settings, seed=seed, batches=BATCH, workers=0, quiet=True, label=name)
        right = zero_shot_accuracy(clip, "test", each=40, seed=TEST_SEED + 1000 * seed)
        rows.append(Row(name, "accuracy among 300", right, seed, n=30 * 40))
        rows.append(Row(name, "steps", n, seed))
    return rows
