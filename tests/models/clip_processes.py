"""What each process of test_clip_processes runs under torchrun: one step of a small CLIP on its own half."""

import os
import sys
from pathlib import Path

import torch
import torch.distributed
from safetensors.torch import save_file

from lecture10.models.clip import CLIP, PRESETS
from lecture10.models.contrastive import clip_loss, gather
from lecture10.training import TrainSettings, train

N = 8


def model():
    """A vision transformer: batch norm would take its mean over each process's half."""
    torch.manual_seed(0)
    return CLIP(PRESETS["tiny-vit"])


def batch():
    """(images, ids, groups) of the whole batch; two captions occur twice, across the halves."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 63, (N, 9), generator=generator)
    ids[:, -1] = 63
    ids[6], ids[5] = ids[1], ids[4]
    groups = torch.tensor([0, 1, 2, 3, 4, 4, 1, 7])
    return torch.rand(N, 3, 32, 32, generator=generator), ids, groups


def loss(clip, part):
    """The whole batch's loss, in every process."""
    images, ids, groups = part
    I_f, T_f = clip.embed_images(images), clip.embed_texts(ids)
    return clip_loss(gather(I_f), gather(T_f), clip.held_logit_scale(), gather(groups), positives="any")


def main(folder: Path) -> None:
    torch.distributed.init_process_group("gloo")
    rank, world = torch.distributed.get_rank(), torch.distributed.get_world_size()
    each = N // world
    clip = model()
    value = loss(clip, [x[rank * each : (rank + 1) * each] for x in batch()])
    value.backward()
    found = {"loss": value.detach()}
    for name, parameter in clip.named_parameters():
        torch.distributed.all_reduce(parameter.grad)
        found[name] = parameter.grad / world  # the mean over processes, as DistributedDataParallel takes it
    save_file(found, folder / f"rank{rank}.safetensors")

    clip = model()  # in the same group: a second one may be offered the first one's dead address
    train(clip, loss, lambda generator: batch(), TrainSettings(steps=3, lr=1e-2), device="cpu", quiet=True)
    save_file({n: p.detach() for n, p in clip.named_parameters()}, folder / f"trained{rank}.safetensors")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # gloo may abort on the way out
