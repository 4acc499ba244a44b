"""Our SAM against transformers' at equal configuration and weights: a click, from its prompt to its masks.

    python benchmarks/sam.py [--json FILE]

Timed are prompt encoder and mask decoder, for a picture whose embedding is there: what the paper's 50 ms
mean. "laptop" has the shipped model's sizes, "paper" those of every official SAM. Printed beside them: what
the image encoder takes, once a picture. Exit status 1 where the lower 95 % bound of a ratio lies below 0.95.
"""

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
import transformers
from pairs import Pairs, alternate, too_slow

from lecture10.models.sam import PRESETS, SAM, SAMConfig
from lecture10.models.sam_vit import SamViTConfig
from lecture10.pretrained.sam import official_state

CONFIGS = {
    "laptop": replace(PRESETS["laptop-vit"], encoder=SamViTConfig(128, 8, 32, 1, 2, 32, everywhere=())),
    "paper": replace(PRESETS["ViT-B"], encoder=SamViTConfig(1024, 16, 32, 1, 2, 32, everywhere=())),
}
CLICKS = 3  # a run: so many clicks, one after the other


def their_twin(config: SAMConfig) -> transformers.SamModel:
    """transformers' SAM of the same size; its image encoder is tiny, since it is not asked."""
    vit = config.encoder
    sizes = {"image_size": vit.image_size, "patch_size": vit.patch}
    return transformers.SamModel(
        transformers.SamConfig(
            vision_config=sizes | {
                "hidden_size": vit.width, "output_channels": config.channels, "num_hidden_layers": vit.layers,
                "num_attention_heads": vit.heads, "window_size": vit.window, "global_attn_indexes": [],
                "mlp_dim": vit.mlp_dim, "num_pos_feats": config.channels // 2,
            },
            prompt_encoder_config=sizes | {"hidden_size": config.channels},
            mask_decoder_config={
                "hidden_size": config.channels, "mlp_dim": config.mlp_dim,
                "num_hidden_layers": config.blocks, "num_attention_heads": config.heads,
                "iou_head_depth": config.iou_layers, "iou_head_hidden_dim": config.iou_inner,
            },
        )
    ).eval()  # fmt: skip


@torch.no_grad()
def clicking(name: str, config: SAMConfig) -> Pairs:
    """Clicks on one embedded picture, three masks each, in both."""
    ours, theirs = SAM(config).eval(), their_twin(config)
    theirs.load_state_dict(official_state(ours, theirs.state_dict()))
    side = config.encoder.side
    picture = torch.randn(1, config.channels, side, side)
    points = torch.rand(CLICKS, 1, 1, 2) * (config.encoder.image_size - 1)
    label = torch.ones(1, 1, dtype=torch.long)

    def ask_ours():
        return [ours.decode(picture, at, label)[0] for at in points]

    def ask_theirs():
        return [
            theirs(image_embeddings=picture, input_points=at[None], input_labels=label[None]).pred_masks[0]
            for at in points
        ]

    gap = max(
        float((a - b).abs().max() / b.abs().max()) for a, b in zip(ask_ours(), ask_theirs(), strict=True)
    )
    assert gap < 1e-4, f"the twins differ by {gap}"
    return alternate(f"one click, {name} size", ask_ours, ask_theirs, tokens=CLICKS)


@torch.no_grad()
def encoder_seconds(name: str) -> float:
    """The median time of the image encoder, for one picture."""
    sam = SAM(PRESETS[name]).eval()
    image, times = torch.rand(1, 3, sam.image_size, sam.image_size), []
    for _ in range(5):
        begin = time.perf_counter()
        sam.embed(image)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def main() -> None:
    """Print a line a comparison (its "tokens" are clicks); --json FILE stores every single time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    torch.manual_seed(0)
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"transformers {transformers.__version__}"
    )
    found = []
    for name, config in CONFIGS.items():
        found.append(clicking(name, config))
        print(found[-1], flush=True)
        print(f"{'':42} ours {1000 * statistics.median(found[-1].ours) / CLICKS:.1f} ms a click")
    print(f"image encoder, laptop: {1000 * encoder_seconds('laptop'):.0f} ms a picture")
    if path:
        path.write_text(json.dumps([asdict(pairs) for pairs in found], indent=1) + "\n")
    sys.exit(too_slow(found))


if __name__ == "__main__":
    main()
