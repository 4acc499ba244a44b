"""SAM at laptop size: this world, this model, this training. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.sam

A step asks for each target twice and learns from both answers: first after one prompt (a click, or a box one
time in four), then after a few more clicks, each where the answer before was wrong, with that answer as a
mask prompt. The clicks in between are made without gradients. (The paper learns from all of eleven rounds.)
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from lecture10.devices import pick_device
from lecture10.models.sam import FIRST_CORNER, FOR, LAST_CORNER, NOTHING, SAM, SAMConfig
from lecture10.models.sam_loss import iou, sam_loss
from lecture10.paths import data_folder, data_path
from lecture10.recipes.clicks import Clicks, Prompts, central_click, next_click, noisy_boxes
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION

NAME = "checkpoints/sam"
DATA = f"{WORLD_VERSION}/clicks"
CONFIG = SAMConfig()
SETTINGS = TrainSettings(steps=3000, lr=1.5e-3, weight_decay=0.05, warmup=0.03)
SECONDS = 1800  # the schedule ends by the clock, also where a core is slow
BATCH = Clicks()
COMMAND = "python -m lecture10.recipes.sam"
BOXES = 0.25  # share of targets whose first prompt is a box
LATER = (2, 2, 2, 3, 3, 5, 8)  # with how many prompts the second answer is given; one of them each step
SHARED = 0.05  # of the loss is the mean over all three masks, so that none falls asleep


def first_prompts(batch: Prompts, boxes: float = BOXES) -> tuple[Tensor, Tensor]:
    """Points (N, 2, 2) and labels (N, 2): a click and nothing, or the two corners of a noisy box."""
    n = len(batch.point)
    points = torch.stack([batch.point, torch.zeros(n, 2)], 1)
    labels = torch.tensor([FOR, NOTHING]).expand(n, 2)
    boxed = torch.rand(n) < boxes
    corners = noisy_boxes(batch.target.cpu()).view(n, 2, 2)
    points = torch.where(boxed[:, None, None], corners, points)
    return points, torch.where(boxed[:, None], torch.tensor([FIRST_CORNER, LAST_CORNER]), labels)


def best_guess(logits: Tensor, guessed: Tensor) -> Tensor:
    """(N, M, …), (N, M) -> (N, …): of each prompt's masks the one whose guessed IoU is highest."""
    return logits[torch.arange(len(logits)), guessed.argmax(1)]


def click_loss(sam: SAM, batch: Prompts, *, later: tuple[int, ...] = LATER) -> tuple[Tensor, dict]:
    """The loss after one prompt, and after some more; with the shares that each mask won. CPU or GPU."""
    device, target = sam.mean.device, batch.target
    picture = sam.embed(batch.image.to(device))[batch.row.to(device)]
    points, labels = (x.to(device) for x in first_prompts(batch))
    logits, guessed = sam.ask(picture, points, labels, None, several=True)
    first = sam_loss(sam.full_size(logits), guessed, target.to(device), shared=SHARED)
    mask = best_guess(logits, guessed).detach()
    rounds = later[int(torch.randint(len(later), ()))]
    for r in range(1, rounds):
        points, labels = one_more(sam, mask, target, points, labels, next_click)
        with torch.set_grad_enabled(r == rounds - 1):
            logits, guessed = sam.ask(picture, points, labels, mask, several=False)
        mask = logits[:, 0].detach()
    last = sam_loss(sam.full_size(logits), guessed, target.to(device))
    won = first["best"].bincount(minlength=max(1, sam.config.multimask)) / len(target)
    more = {f"won_{m + 1}": share for m, share in enumerate(won)}
    return first["loss"] + last["loss"], more | {"first": first["mask"], "iou_error": first["iou_error"]}


def one_more(
    sam: SAM, mask: Tensor, target: Tensor, points: Tensor, labels: Tensor, where: Callable
) -> tuple[Tensor, Tensor]:
    """The prompts with one more click, set by `where` from what is wrong with `mask` (N, 4 h, 4 h)."""
    wrong = (sam.full_size(mask[:, None])[:, 0] > 0).cpu()
    point, label = where(wrong, target.cpu())
    points = torch.cat([points, point[:, None].to(points)], 1)
    return points, torch.cat([labels, label[:, None].to(labels)], 1)


def learn(
    config: SAMConfig = CONFIG,
    settings: TrainSettings = SETTINGS,
    *,
    seed: int = 0,
    batches: Clicks = BATCH,
    **how,
) -> tuple[SAM, History]:
    """A fresh SAM trained on `batches`; `how` is handed to `train`. Convolutions run channels-last."""
    torch.manual_seed(seed)
    sam = SAM(config).to(memory_format=torch.channels_last)
    how = {"count": _count, "unit": "clicks", "label": "sam", "split": False} | how
    return sam, train(sam, click_loss, batches, settings, seed=seed, **how)


def _count(batch: Prompts) -> int:
    return len(batch.row)


@torch.no_grad()
def click_through(
    sam: SAM, batch: Prompts, clicks: int, *, where: Callable = central_click, first: Tensor | None = None
) -> tuple[list[Tensor], dict[str, Tensor]]:
    """Click `clicks` times on each target, as the slide's panels do, and see how far each click gets.

    first: (N, 2) the first clicks (default: the centre of each target). The first answer is the one of three
    whose guessed IoU is highest, later ones are the single mask. Returns IoUs (N,) after each click, and of
    the first answer "ious" and "guessed" (N, M) and "masks" (N, M, S, S) bool.
    """
    device, target = sam.mean.device, batch.target
    picture = sam.embed(batch.image.to(device))[batch.row.to(device)]
    point = central_click(torch.zeros_like(target), target)[0] if first is None else first
    points = torch.stack([point, torch.zeros_like(point)], 1).to(device)
    labels = torch.tensor([FOR, NOTHING], device=device).repeat(len(point), 1)
    logits, guessed = sam.ask(picture, points, labels, None, several=True)
    masks = (sam.full_size(logits) > 0).cpu()
    answer = {"ious": iou(masks, target), "guessed": guessed.cpu(), "masks": masks}
    mask = best_guess(logits, guessed)
    found = [best_guess(answer["ious"], answer["guessed"])]
    for _ in range(1, clicks):
        points, labels = one_more(sam, mask, target, points, labels, where)
        mask = sam.ask(picture, points, labels, mask, several=False)[0][:, 0]
        found.append(iou((sam.full_size(mask[:, None]) > 0).cpu(), target)[:, 0])
    return found, answer


def mean_ious(
    sam: SAM, split: str = "dev", *, pictures: int = 60, seed: int = 1000, clicks: int = 3, **knobs
):
    """Mean IoUs on fresh scenes of a split: best of three, the one guessed best, and after more clicks."""
    sizes = {"things": (1, 3), "split": split} | knobs
    batch = Clicks(pictures, 3, sam.image_size, knobs=sizes)(torch.Generator().manual_seed(seed))
    was = sam.training
    found, answer = click_through(sam.eval(), batch, clicks, first=batch.point)
    sam.train(was)
    rows = {"best_of_three": answer["ious"].amax(1), "guessed_best": found[0]}
    rows |= {f"{k + 1}_clicks": each for k, each in enumerate(found) if k}
    return {name: float(each.mean()) for name, each in rows.items()}


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it with its card to `data/checkpoints/sam` (or `path`)."""
    sam, history = learn(settings=settings, seed=seed, **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    return ship(
        sam.cpu(), path or data_folder() / NAME, seed=seed, steps=history.done, minutes=history.minutes
    )


def ship(sam: SAM, path, *, seed: int, steps: int, minutes: float, pictures: int = 100) -> Card:
    """Measure a trained SAM on dev and test pairs, rounded to fp16 as shipped, and write it to `path`."""
    half = sam.half().float().eval()
    metrics = {
        f"{split}_{name}": round(value, 4)
        for split in ("dev", "test")
        for name, value in mean_ious(half, split, pictures=pictures).items()
    }
    card = Card(
        architecture="sam", config=sam.config, seed=seed, steps=steps, data_version=DATA,
        metrics=metrics, minutes=round(minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path, card)


def load(device: str | None = None) -> SAM:
    """The shipped SAM, in eval mode. Raises WeightsError, with the command that rebuilds it, where it cannot
    be used.
    """
    sam = SAM(CONFIG)
    load_weights(sam, data_path(f"{NAME}.safetensors"), architecture="sam", data_version=DATA)
    return sam.eval().to(pick_device(device))


if __name__ == "__main__":
    run = f"runs/sam-{DATA.replace('/', '-')}"
    look = partial(mean_ious, pictures=20)
    print(build(checkpoint=run, seconds=SECONDS, evaluate=look, evaluate_every=250).metrics)
