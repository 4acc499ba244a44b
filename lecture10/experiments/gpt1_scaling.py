"""The sizes slide, small: held-out loss over four model sizes and three data sizes, and the power law through
it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from lecture10.claims import Claim, Row, slope
from lecture10.metrics import token_losses
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.recipes.english import encoded, pretrain
from lecture10.training import TrainSettings

SIZES = (
    (16, 1),
    (32, 2),
    (64, 2),
    (128, 3),
)  # (width, layers): 3 thousand to 0.6 million numbers in the blocks
SHARES = (1 / 16, 1 / 4, 1)  # of the 102,361 training tokens
BASE = GPTConfig(vocab_size=1024, context=64, dropout=0.0)
SETTINGS = TrainSettings(steps=1000, betas=(0.9, 0.95))
EVALUATE_EVERY = 50  # on a sixteenth of the text, 50 steps are eight rounds

CLAIM = Claim(
    "gpt1.scaling",
    slide="GPT-3: 10⁸, 3×10⁸, 1.4×10⁹, 1.75×10¹¹ parameters",
    table="gpt_sizes",
    says="Held-out loss falls as a power of the number of parameters, with an exponent of 0.02 or more.",
    effect=slope("all of the text", metric="nats per token", log="xy", falls=True),
    margin=0.02,
    expects="shown",
    does_not_test="whether the line goes on to billions of parameters; whether a lower loss is of use",
    minutes=35,
    tier="long",
    seeds=3,  # the largest model has 200 times the parameters of the smallest: the effect is huge
    runs=12,
)


def config(width: int, layers: int) -> GPTConfig:
    """A GPT of this size; heads are 32 wide, and 16 in the narrowest."""
    return replace(BASE, width=width, layers=layers, heads=max(1, width // 32))


def block_parameters(model: GPT) -> int:
    """Numbers in the transformer blocks: embeddings are left out, as is usual for such fits."""
    return sum(p.numel() for p in model.blocks.parameters())


def share_name(share: float) -> str:
    """How a share of the text is called in the rows."""
    return "all of the text" if share == 1 else f"1/{round(1 / share)} of the text"


def share_of(name: str) -> float:
    """The share that `share_name` calls so."""
    return 1.0 if name.startswith("all") else 1 / int(name.split()[0].split("/")[1])


def run(seed: int) -> list[Row]:
    """One paired seed: a random stretch of the text for each share, twelve GPTs, each stopped where dev is
    best.
    """
    text, dev, test = encoded("train"), encoded("dev"), encoded("test")
    rows = []
    for share in SHARES:
        length = round(share * len(text))
        generator = torch.Generator().manual_seed(seed)
        start = int(torch.randint(0, len(text) - length + 1, (), generator=generator))
        for width, layers in SIZES:
            loss, parameters = _held_out(config(width, layers), text[start : start + length], dev, test, seed)
            where = {"seed": seed, "at": parameters, "n": len(test) - 1}
            rows.append(Row(share_name(share), "nats per token", loss, **where))
    return rows


def _held_out(
    size: GPTConfig, ids: list[int], dev: list[int], test: list[int], seed: int
) -> tuple[float, int]:
    """(test loss at the step at which the dev loss was lowest, parameters in the blocks)."""

    def evaluate(model: GPT) -> dict[str, float]:
        return {
            "dev": float(token_losses(model, dev).mean()),
            "test": float(token_losses(model, test).mean()),
        }

    settings = replace(SETTINGS, lr=4e-3 * (128 / size.width) ** 0.5)  # wider nets want smaller steps
    how = {
        "evaluate": evaluate,
        "evaluate_every": EVALUATE_EVERY,
        "quiet": True,
        "label": f"width {size.width}",
    }
    model, history = pretrain(size, settings, seed=seed, ids=ids, **how)
    best = min((record for record in history.records if "dev" in record), key=lambda record: record["dev"])
    return best["test"], block_parameters(model)


@dataclass(frozen=True)
class PowerLaw:
    """L(N, D) = (n / N)^alpha_n + (d / D)^alpha_d + floor: a size term, a data term, and what no model can
    know.
    """

    n: float
    alpha_n: float
    d: float
    alpha_d: float
    floor: float

    def __call__(self, parameters: float, tokens: float) -> float:
        """Loss in nats per token at this many parameters and training tokens."""
        return (self.n / parameters) ** self.alpha_n + (self.d / tokens) ** self.alpha_d + self.floor


def fit_power_law(rows: Iterable[Row], tokens: int) -> PowerLaw:
    """Least squares through all points (parameters, share of `tokens`, loss), in the log of the loss.

    Raises ValueError for fewer than five points, which cannot hold five unknowns.
    """
    from scipy.optimize import least_squares

    points = np.array([(row.at, share_of(row.variant) * tokens, row.value) for row in rows])
    if len(points) < 5:
        raise ValueError(f"{len(points)} points cannot fit five unknowns: measure more sizes")
    parameters, data, loss = points.T

    def off(x: np.ndarray) -> np.ndarray:
        return np.log(PowerLaw(np.exp(x[0]), x[1], np.exp(x[2]), x[3], x[4])(parameters, data)) - np.log(loss)

    lowest, highest = [-20, 0.01, -20, 0.01, 0], [30, 2, 30, 2, 3]
    found = least_squares(off, [8, 0.1, 8, 0.1, 0.5], bounds=(lowest, highest)).x
    return PowerLaw(np.exp(found[0]), found[1], np.exp(found[2]), found[3], found[4])
