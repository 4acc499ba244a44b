"""Our U-Net against diffusers' UNet2DConditionModel of equal configuration: training, sampling, pictures.

    python benchmarks/ldm.py [--json FILE] [--times N]

Latents of 16 × 16 × 4, the sizes of `LDMConfig`. Exit status 1 where the lower 95 % bound of a median ratio
lies below 0.95.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from pairs import Pairs, alternate, too_slow

from lecture10.models.autoencoder import Autoencoder
from lecture10.models.denoise import sample
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.models.unet import UNet
from lecture10.pretrained.diffusers_folder import name_in, official_unet_config
from lecture10.recipes import autoencoder

CONFIG = LDMConfig()
SIDE, WORDS, BATCH, PICTURES, STEPS = 16, 12, 32, 4, 20


def their_twin(ours: UNet) -> UNet2DConditionModel:
    """diffusers' U-Net with the same weights."""
    theirs = UNet2DConditionModel.from_config(official_unet_config(ours.config, SIDE))
    theirs.load_state_dict({name_in(ours, name): t for name, t in ours.state_dict().items()})
    return theirs


def inputs(n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy latents (n, 4, 16, 16), steps (n,), states of the words (n, 12, 128)."""
    z = torch.randn(n, CONFIG.unet.channels, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    return z, torch.randint(1000, (n,)), torch.randn(n, WORDS, CONFIG.unet.context)


def training(ours: UNet, theirs: UNet2DConditionModel, times: int) -> Pairs:
    """Forward, L_LDM, backward and a step of AdamW on one fixed batch."""
    (z, t, words), eps = inputs(BATCH), torch.randn(BATCH, CONFIG.unet.channels, SIDE, SIDE)

    def step(net, say):
        optimizer = torch.optim.AdamW(net.train().parameters(), lr=1e-4)

        def run():
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(say(), eps).backward()
            optimizer.step()

        return run

    return alternate(
        f"training step, {BATCH} latents",
        step(ours, lambda: ours(z, t, words)),
        step(theirs, lambda: theirs(z, t, encoder_hidden_states=words).sample),
        tokens=BATCH, times=times,
    )  # fmt: skip


@torch.no_grad()
def sampling(ours: UNet, theirs: UNet2DConditionModel, times: int) -> Pairs:
    """One guided step of sampling: both answers for a few pictures."""
    z, t, words = inputs(2 * PICTURES)
    ours.eval(), theirs.eval()
    apart = (ours(z, t, words) - theirs(z, t, encoder_hidden_states=words).sample).abs().max()
    assert apart < 1e-3, f"the twins differ by {apart}"
    return alternate(
        f"guided sampling step, {PICTURES} pictures",
        lambda: ours(z, t, words),
        lambda: theirs(z, t, encoder_hidden_states=words).sample,
        tokens=PICTURES, times=times,
    )  # fmt: skip


@torch.no_grad()
def pictures_a_second(rounds: int = 2) -> float:
    """Whole pictures of 64 × 64: text encoder, 20 guided DDIM steps, decoder."""
    model = LatentDiffusion(CONFIG).eval()
    model.unet.to(memory_format=torch.channels_last)
    decoder = Autoencoder(autoencoder.CONFIG).eval().to(memory_format=torch.channels_last)
    ids = torch.randint(CONFIG.end, (PICTURES, WORDS))
    ids[:, -1] = CONFIG.end
    seconds = []
    for _ in range(rounds + 1):  # the first warms up
        begin = time.perf_counter()
        z = sample(
            model.guided(ids, 3.0), model.process, torch.randn(PICTURES, CONFIG.unet.channels, SIDE, SIDE),
            steps=STEPS, kind=CONFIG.target, method="ddim",
        )  # fmt: skip
        decoder.decode(z / model.scale)
        seconds.append(time.perf_counter() - begin)
    return PICTURES / min(seconds[1:])


def main() -> None:
    """Print a line a comparison (its "tokens" are latents or pictures); --json FILE stores every time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--times", type=int, default=15)
    asked = parser.parse_args()
    torch.manual_seed(0)
    ours = UNet(CONFIG.unet)
    theirs = their_twin(ours)
    ours, theirs = (net.to(memory_format=torch.channels_last) for net in (ours, theirs))
    size = sum(p.numel() for p in ours.parameters()) / 1e6
    print(f"{size:.2f} M parameters, {torch.get_num_threads()} threads, torch {torch.__version__}")
    found = []
    for compare in (training, sampling):
        found.append(compare(ours, theirs, asked.times))
        print(found[-1], flush=True)
    print(f"{pictures_a_second():.2f} pictures a second at {STEPS} steps, with guidance and decoder")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(pairs) for pairs in found], indent=1) + "\n")
    sys.exit(too_slow(found))


if __name__ == "__main__":
    main()
