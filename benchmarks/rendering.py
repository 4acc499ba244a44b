"""How many pictures a second? Ours in batches, against a plain Pillow renderer of the same scenes, in one
run.

    python benchmarks/rendering.py [--threads 2] [--workers 2] [--repeat 5]

A picture is sampled, rendered with masks and boxes, and given a short caption; scenes hold one to three
things. The peer gets ready-made scenes and sprites and pastes one RGBA sprite after the other, as one would
write it first, without captions. "alone" counts wall clock with `--threads` torch threads in one process;
"ahead" comes from `--workers` background processes (`Producer`); "core" is CPU time, which other programs
disturb least: 250 µs a picture is 8,000 a second on two cores.
"""

import argparse
import time

import numpy as np
import torch
from PIL import Image

from lecture10.world import Producer, SceneBatch, pictures, render, sample
from lecture10.world import vocabulary as v
from lecture10.world.backdrops import backdrops
from lecture10.world.cast import side
from lecture10.world.render import _sides, placed
from lecture10.world.sprites import FRAME, bank
from lecture10.world.styles import paint_table


def pillow_sprites(size: int) -> dict:
    """All painted sprites that the peer may need, by (noun, colour, material, size name):
    drawn beforehand.
    """
    cpu = torch.device("cpu")
    table, made = paint_table(cpu)[v.STYLES.index("rendition")], {}
    for s, name in enumerate(v.SIZE_NAMES):
        for n, noun in enumerate(v.NOUNS):
            sheet = bank(max(8, round(side(noun, name) * FRAME * size)), cpu)
            sheet.need([n])
            for m in range(len(v.MATERIALS)):
                rgba = torch.einsum("cok,kyx->coyx", table[:, :4], sheet.sprites[n, m]).clamp(0, 1)
                rgba[:, :3] /= rgba[:, 3:].clamp(min=1e-3)
                pixels = (rgba.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
                made |= {(n, c, m, s): Image.fromarray(p, "RGBA") for c, p in enumerate(pixels)}
    return made


def with_pillow(batch: SceneBatch, size: int, sprites: dict) -> tuple[np.ndarray, np.ndarray]:
    """The peer: (B, S, S, 3) uint8 pictures and (B, 6, S, S) bool masks, one thing after the other."""
    cpu = torch.device("cpu")
    grounds = [
        (backdrops(b, "photo", size, cpu)[0] * 255).byte().permute(1, 2, 0).numpy() for b in v.BACKDROPS
    ]
    pictures = np.empty((len(batch), size, size, 3), dtype=np.uint8)
    masks = np.zeros((len(batch), v.MAX_THINGS, size, size), dtype=bool)
    x, y, degrees = (p.tolist() for p in placed(batch))
    for b in range(len(batch)):
        canvas = Image.fromarray(grounds[int(batch.backdrop[b])])
        for k in batch.layer[b].argsort().tolist():
            if batch.noun[b, k] < 0:
                continue
            key = tuple(int(getattr(batch, name)[b, k]) for name in ("noun", "colour", "material", "size"))
            sprite = sprites[key]
            if degrees[b][k]:
                sprite = sprite.rotate(degrees[b][k], Image.Resampling.BILINEAR, expand=True)
            corner = (round(x[b][k] * size - sprite.width / 2), round(y[b][k] * size - sprite.height / 2))
            canvas.paste(sprite, corner, sprite)
            alpha = Image.new("L", (size, size))
            alpha.paste(sprite.getchannel("A"), corner)
            mask = np.asarray(alpha) > 127
            masks[b, :k] &= ~mask
            masks[b, k] = mask
        pictures[b] = np.asarray(canvas)
    return pictures, masks


def rate(work, pictures: int, repeat: int, clock=time.perf_counter) -> float:
    """Pictures a second of this clock, from the quickest of `repeat` runs after one to warm up."""
    work()
    times = []
    for _ in range(repeat):
        start = clock()
        work()
        times.append(clock() - start)
    return pictures / min(times)


def ahead(source, workers: int, batches: int) -> float:
    """Pictures a second that background processes deliver, once they run."""
    with Producer(source, workers=workers) as producer:
        loop = iter(producer)
        for _ in range(2 * workers + 2):  # start, sprites, what waits already
            next(loop)
        start = time.perf_counter()
        for _ in range(batches):
            next(loop)
        return source.n * batches / (time.perf_counter() - start)


def line(size: int, asked: argparse.Namespace) -> str:
    """What one size comes to."""
    n, repeat = asked.batch, asked.repeat
    source, batch = pictures(n, size, masks=True), sample(n, 0)

    def work():
        return source(torch.Generator().manual_seed(0))

    torch.set_num_threads(1)
    core = 1e6 / rate(work, n, repeat, time.process_time)
    sprites = pillow_sprites(size)
    peer = rate(lambda: with_pillow(batch[:128], size, sprites), 128, repeat, time.process_time)
    ours = rate(lambda: render(batch, size), n, repeat, time.process_time)
    torch.set_num_threads(asked.threads)
    alone = rate(work, n, repeat)
    delivered = ahead(source, asked.workers, 4 * asked.workers)
    return (
        f"{size:3} × {size:<3} core {core:6.0f} µs a picture; alone {alone:7,.0f}/s; "
        f"ahead {delivered:7,.0f}/s; "
        f"rendering only, one core: {ours:7,.0f}/s, plain Pillow {peer:7,.0f}/s (ratio {ours / peer:.1f})"
    )


def main() -> None:
    """Print one line a size."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--repeat", type=int, default=5)
    asked.add_argument("--batch", type=int, default=256)
    asked.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 128])
    asked = asked.parse_args()
    print(f"{asked.threads} threads, {asked.workers} workers, batches of {asked.batch}, up to three things")
    for size in asked.sizes:
        print(line(size, asked), flush=True)
    batch = sample(asked.batch, 0)
    there = batch.noun >= 0
    things, side = float(there.sum()) / len(batch), float(_sides(batch)[there].mean())
    print(f"{things:.2f} things a picture, {side:.2f} of its side")


if __name__ == "__main__":
    main()
