"""A BERT and a GPT of one size, trained on the world's stories and captions. Rebuilds both checkpoints:

python -m lecture10.recipes.bert

BERT plays both games on pairs of sentences, and the first one also on single texts, so that it can be asked
about either. The GPT reads the single texts from left to right: what the two expect at a blank can be
compared.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.devices import pick_device
from lecture10.models.bert import IGNORE, BertConfig, BertPretraining
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.paths import data_folder, data_path
from lecture10.recipes.small_stories import small_stories
from lecture10.recipes.world_text import (
    PAD,
    both_games,
    encoded,
    gpt_loss,
    masked_pairs,
    pair_rows,
    rows,
    some_rows,
    stories,
    whole,
    words,
)
from lecture10.recipes.world_words import plain_captions
from lecture10.training import Card, TrainSettings, load_weights, save_weights, train
from lecture10.world.vocabulary import WORLD_VERSION

NAMES = {"bert": "checkpoints/bert", "gpt": "checkpoints/bert_gpt"}
SIZE = {"vocab_size": words().vocab_size, "context": 64, "width": 64, "layers": 2, "heads": 2, "dropout": 0.0}
CONFIG, GPT_CONFIG = BertConfig(**SIZE), GPTConfig(**SIZE, norm="post")
SETTINGS = TrainSettings(steps=3000, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
BATCH, TEXTS = 32, 3000  # stories and captions each, and four times as many small stories
DATA = f"world-{WORLD_VERSION}/words-{SIZE['vocab_size']}"
COMMAND = "python -m lecture10.recipes.bert"

Rows = tuple[Tensor, Tensor, Tensor]  # token ids, segments, whether B follows


def texts(n: int, seed: int) -> tuple[list[list[list[int]]], Tensor]:
    """4n small stories as documents of two parts; these, n stories and n captions as rows (N, T).

    Most are small ones: in a net of this size what belongs to what is learnt from many alike, or not at all.
    """
    small, told = encoded(small_stories(4 * n, seed)), encoded(stories(n, seed, sentences=3))
    captions = [words().encode(text) for text in plain_captions(n, seed)]
    documents = [[one + two, three] for one, two, three, _ in small]
    return documents, rows([*map(whole, small), *map(whole, told), *captions])


def material(n: int, seed: int) -> tuple[Rows, Tensor]:
    """What BERT reads, pairs and single texts in equal number, and the single texts alone, for the GPT."""
    documents, single = texts(n, seed)
    pairs = pair_rows(documents, len(single), seed, CONFIG.context)
    alone = single, torch.zeros_like(single), torch.full((len(single),), IGNORE)
    longest = max(single.shape[1], pairs[0].shape[1])
    ids, segments = (
        torch.cat([F.pad(part, (0, longest - part.shape[1]), value=PAD) for part in both])
        for both in zip(pairs[:2], alone[:2], strict=True)
    )
    return (ids, segments, torch.cat([pairs[2], alone[2]])), single


@torch.no_grad()
def held_out(model: BertPretraining, n: int = 500, seed: int = 1_000_001) -> dict[str, float]:
    """On texts that were not trained on: nats a masked word, and the share of small stories' pairs right."""
    device = next(model.parameters()).device
    (ids, segments, follows), _ = material(n, seed)
    batch = masked_pairs((ids, segments, follows), len(ids))(torch.Generator().manual_seed(seed))
    _, parts = both_games(model, tuple(part.to(device) for part in batch))
    asked = pair_rows(texts(n, seed)[0], n, seed, CONFIG.context)
    ids, segments, follows = (part.to(device) for part in asked)
    says = model(ids, segments, ids != PAD)[1].argmax(-1)
    return {"nats_per_word": parts["words"], "next_sentence": float((says == follows).float().mean())}


def learn(settings: TrainSettings = SETTINGS, seed: int = 0, n: int = TEXTS, **how) -> dict[str, tuple]:
    """Train both on the texts of `texts(n, seed)`; name -> (model, history). `how` is handed to `train`."""
    pairs, single = material(n, seed)
    plan: dict[str, tuple[type, object, Callable, Callable]] = {
        "bert": (BertPretraining, CONFIG, both_games, masked_pairs(pairs, BATCH)),
        "gpt": (GPT, GPT_CONFIG, gpt_loss, some_rows(single, BATCH)),
    }
    checkpoint, found = how.pop("checkpoint", None), {}
    for name, (kind, config, loss, source) in plan.items():
        torch.manual_seed(seed)
        model = kind(config)
        folder = checkpoint and f"{checkpoint}-{name}"
        run = {"seed": seed, "label": name, "checkpoint": folder, **how}
        found[name] = model, train(model, loss, source, settings, **run)
    return found


def build(folder=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> dict[str, Card]:
    """Train the shipped checkpoints and write them with their cards into the data folder (or `folder`)."""
    cards = {}
    for name, (model, history) in learn(settings, seed, **how).items():
        if history.interrupted:
            raise SystemExit("stopped before the end: nothing was shipped; the same command goes on")
        metrics = held_out(model) if name == "bert" else {"training_loss": history.last("loss")}
        card = Card(
            architecture=name, config=model.config, seed=seed, steps=settings.steps, data_version=DATA,
            metrics={key: round(value, 4) for key, value in metrics.items()},
            minutes=round(history.minutes, 1), command=COMMAND, half=True,
        )  # fmt: skip
        cards[name] = save_weights(model, (folder or data_folder()) / NAMES[name], card)
    return cards


def load(device: str | None = None) -> tuple[BertPretraining, GPT]:
    """The shipped BERT and its GPT, in eval mode.

    Raises WeightsError, with the command that rebuilds them, where they cannot be used.
    """
    models = BertPretraining(CONFIG), GPT(GPT_CONFIG)
    for name, model in zip(NAMES, models, strict=True):
        load_weights(model, data_path(f"{NAMES[name]}.safetensors"), architecture=name, data_version=DATA)
        model.eval().to(pick_device(device))
    return models


if __name__ == "__main__":
    for built in build(checkpoint=f"runs/bert-{DATA.replace('/', '-')}").values():
        print(built.architecture, built.metrics, f"{built.minutes} minutes")
