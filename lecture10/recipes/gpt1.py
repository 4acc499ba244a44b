"""GPT-1's pre-training at laptop size: this text, this model, this training. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.gpt1
"""

from lecture10.devices import pick_device
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.paths import data_folder, data_path
from lecture10.recipes.english import DATA, held_out_bits, pretrain
from lecture10.training import Card, TrainSettings, load_weights, save_weights

NAME = "checkpoints/gpt1"
CONFIG = GPTConfig(vocab_size=1024, context=128, width=128, layers=4, heads=4, dropout=0.1)
SETTINGS = TrainSettings(steps=3000, lr=4e-3, betas=(0.9, 0.95))
BATCH = 8  # small batches learn more from each of so few tokens
COMMAND = "python -m lecture10.recipes.gpt1"


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it with its card to `data/checkpoints/gpt1` (or `path`)."""
    model, history = pretrain(CONFIG, settings, seed=seed, batch=BATCH, label="gpt1", **how)
    if history.interrupted:
        raise SystemExit("stopped before the end: nothing was shipped; the same command goes on")
    metrics = {f"{part}_bits_per_byte": round(held_out_bits(model, part), 4) for part in ("dev", "test")}
    card = Card(
        architecture="gpt", config=CONFIG, seed=seed, steps=settings.steps, data_version=DATA,
        metrics=metrics, minutes=round(history.minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(model, path or data_folder() / NAME, card)


def load(device: str | None = None) -> GPT:
    """The shipped GPT, in eval mode. Raises WeightsError, with the command that rebuilds it, where it cannot
    be used.
    """
    model = GPT(CONFIG)
    load_weights(model, data_path(f"{NAME}.safetensors"), architecture="gpt", data_version=DATA)
    return model.eval().to(pick_device(device))


if __name__ == "__main__":
    run = f"runs/gpt1-{DATA.replace('/', '-')}"  # a run on other words is another run
    print(build(checkpoint=run, evaluate=held_out_bits, evaluate_every=250).metrics)
