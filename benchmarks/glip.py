"""Our deep fusion against transformers' GroundingDINO fusion layer at equal size, and GLIP's speed.

    python benchmarks/glip.py [--json FILE]

Exit status 1 where the lower 95 % bound of a median ratio lies below 0.95.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch
from pairs import Pairs, alternate, too_slow
from transformers import GroundingDinoConfig
from transformers.models.grounding_dino.modeling_grounding_dino import GroundingDinoFusionLayer

from lecture10.models.glip import GLIP, Fusion, GLIPConfig

BATCH, REGIONS, TOKENS, WIDTH, INNER, HEADS = 32, 64, 32, 64, 64, 4


def fusion() -> Pairs:
    """Forward and backward through one layer, the same shapes."""
    config = GroundingDinoConfig(
        d_model=WIDTH,
        encoder_ffn_dim=2 * INNER,
        encoder_attention_heads=2 * HEADS,
        fusion_dropout=0.0,
        fusion_droppath=0.0,
    )
    ours, theirs = Fusion(WIDTH, INNER, HEADS), GroundingDinoFusionLayer(config)
    sizes = [sum(p.numel() for p in m.parameters()) for m in (ours, theirs)]
    assert sizes[0] == sizes[1], f"the twins differ: {sizes}"
    O, P = torch.randn(BATCH, REGIONS, WIDTH), torch.randn(BATCH, TOKENS, WIDTH)
    real = torch.arange(TOKENS).expand(BATCH, -1) < TOKENS - 4

    def our_step():
        sum(x.sum() for x in ours(O, P, real)).backward()

    def their_step():
        (a, _), (b, _) = theirs(O, P, attention_mask_text=~real)
        (a.sum() + b.sum()).backward()

    return alternate("deep fusion, forward and backward", our_step, their_step, tokens=BATCH * REGIONS)


def pictures_a_second(fused: bool, times: int = 5) -> float:
    """The whole detector, without gradients, a prompt of 32 tokens for each picture."""
    model = GLIP(GLIPConfig(fusion=fused)).eval()
    images, ids = torch.rand(BATCH, 3, 64, 64), torch.randint(0, 500, (BATCH, TOKENS))
    real = torch.ones(BATCH, TOKENS, dtype=torch.bool)
    with torch.no_grad():
        model(images, ids, real)
        start = time.perf_counter()
        for _ in range(times):
            model(images, ids, real)
    return BATCH * times / (time.perf_counter() - start)


def main() -> None:
    """Print a line a comparison (its "tokens" are regions); --json FILE stores every single time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    torch.manual_seed(0)
    print(f"{BATCH} pictures a batch, {torch.get_num_threads()} threads, torch {torch.__version__}")
    found = [fusion()]
    print(found[0], flush=True)
    for fused in (True, False):
        print(
            f"GLIP {'with' if fused else 'without'} fusion: {pictures_a_second(fused):.0f} pictures a second"
        )
    if path:
        path.write_text(json.dumps([asdict(pairs) for pairs in found], indent=1) + "\n")
    sys.exit(too_slow(found))


if __name__ == "__main__":
    main()
