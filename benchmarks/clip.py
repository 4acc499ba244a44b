"""Our CLIP against open_clip's at equal configuration: a training step, with a ResNet and with a ViT.

    python benchmarks/clip.py [--json FILE]

Exit status 1 where the lower 95 % bound of a median ratio lies below 0.95.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import open_clip
import torch
from pairs import Pairs, alternate, too_slow

from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.contrastive import clip_loss
from lecture10.models.vision import ResNetConfig, ViTConfig

BATCH, CONTEXT = 64, 32
TEXT = TextConfig(vocab_size=512, context=CONTEXT, width=128, layers=2, heads=4)
CONFIGS = {
    "ResNet": CLIPConfig(ResNetConfig(64, 16, (1, 1, 1, 1), heads=8), TEXT, embed=128, gelu="exact"),
    "ViT": CLIPConfig(ViTConfig(64, 8, 128, 4, heads=4), TEXT, embed=128, gelu="exact"),
}


def their_twin(config: CLIPConfig) -> torch.nn.Module:
    """open_clip's CLIP of the same size."""
    image, text = config.image, config.text
    if isinstance(image, ResNetConfig):
        vision = {
            "layers": list(image.layers),
            "head_width": 32 * image.width // image.heads,
            "patch_size": None,
        }
    else:
        vision = {"layers": image.layers, "head_width": image.width // image.heads, "patch_size": image.patch}
    return open_clip.model.CLIP(
        embed_dim=config.embed,
        vision_cfg=vision | {"image_size": image.image_size, "width": image.width},
        text_cfg={
            "context_length": text.context, "vocab_size": text.vocab_size, "width": text.width,
            "heads": text.heads, "layers": text.layers,
        },
        quick_gelu=config.gelu == "quick",
    )  # fmt: skip


def training_step(model, loss):
    """A closure that does one step of AdamW on one fixed batch."""
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-4)

    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def training(name: str, config: CLIPConfig) -> Pairs:
    """Forward, loss, backward and update on the same batch, both networks with channels-last weights."""
    images = torch.rand(BATCH, 3, 64, 64)
    ids = torch.randint(0, config.text.end, (BATCH, CONTEXT))
    ids[:, -1] = config.text.end
    ours, theirs = (m.to(memory_format=torch.channels_last) for m in (CLIP(config), their_twin(config)))
    sizes = [sum(p.numel() for p in m.parameters()) for m in (ours, theirs)]
    assert sizes[0] == sizes[1], f"the twins differ: {sizes}"
    their_loss = open_clip.ClipLoss()
    pixels = ((images - 0.5) / 0.5).contiguous(memory_format=torch.channels_last)

    def our_loss():
        return clip_loss(ours.embed_images(images), ours.embed_texts(ids), ours.held_logit_scale())

    return alternate(
        f"training step, {name}, {sizes[0] / 1e6:.1f} M parameters",
        training_step(ours, our_loss),
        training_step(theirs, lambda: their_loss(*theirs(pixels, ids))),
        tokens=BATCH,
    )


def main() -> None:
    """Print a line a comparison (its "tokens" are pairs); --json FILE stores every single time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    torch.manual_seed(0)
    print(f"{BATCH} pairs a batch, {torch.get_num_threads()} threads, torch {torch.__version__}")
    found = []
    for name, config in CONFIGS.items():
        found.append(training(name, config))
        print(found[-1], flush=True)
    if path:
        path.write_text(json.dumps([asdict(pairs) for pairs in found], indent=1) + "\n")
    sys.exit(too_slow(found))


if __name__ == "__main__":
    main()
