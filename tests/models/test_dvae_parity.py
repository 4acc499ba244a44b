"""The dVAE's layers are those of OpenAI's released package `dall_e` 0.1: same weights, same numbers.

The package is no dependency (it asks for mypy, blobfile and pytest), and its released networks are pickles of
whole modules, which torch no longer loads by itself. So its layout stands here again, with its names; where
the package is installed (pip install --no-deps dall_e), it is compared as well.
"""

import sys
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from twins import agree, randomised

from lecture10.models import dvae
from lecture10.models.dvae import DVAE, DVAEConfig

CONFIG = DVAEConfig(codes=24, width=16, entry=12, groups=4, blocks=2)  # the package has four groups, always
WIDTHS = (1, 2, 4, 8)
IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Conv(nn.Module):
    """The package's convolution: w and b."""

    def __init__(self, before, after, side):
        super().__init__()
        self.w = nn.Parameter(torch.randn(after, before, side, side) / (before * side**2) ** 0.5)
        self.b = nn.Parameter(torch.zeros(after))

    def forward(self, x):
        return F.conv2d(x, self.w, self.b, padding=(self.w.shape[2] - 1) // 2)


class Residual(nn.Module):
    """EncoderBlock and DecoderBlock, which differ in the sides of their convolutions."""

    def __init__(self, before, after, layers, sides):
        super().__init__()
        hidden, self.post_gain = after // 4, 1 / layers**2
        self.id_path = Conv(before, after, 1) if before != after else nn.Identity()
        widths = [before, hidden, hidden, hidden, after]
        self.res_path = nn.Sequential(
            OrderedDict(
                (name, made)
                for n, side in enumerate(sides, 1)
                for name, made in (
                    (f"relu_{n}", nn.ReLU()),
                    (f"conv_{n}", Conv(widths[n - 1], widths[n], side)),
                )
            )
        )

    def forward(self, x):
        return self.id_path(x) + self.post_gain * self.res_path(x)


def groups(before, widths, blocks, sides, turn):
    """group_1 … group_4, with `turn` at the end of all but the last."""
    for g, width in enumerate(widths, 1):
        parts = OrderedDict()
        for b in range(blocks):
            parts[f"block_{b + 1}"] = Residual(before, width, len(widths) * blocks, sides)
            before = width
        if g < len(widths):
            parts[turn] = nn.MaxPool2d(2) if turn == "pool" else nn.Upsample(scale_factor=2, mode="nearest")
        yield f"group_{g}", nn.Sequential(parts)


def layout(first, way, width, outputs):
    last = nn.Sequential(OrderedDict(relu=nn.ReLU(), conv=Conv(width, outputs, 1)))
    return nn.ModuleDict({"blocks": nn.Sequential(OrderedDict([("input", first), *way, ("output", last)]))})


def written(c: DVAEConfig):
    """Encoder and decoder as in encoder.py and decoder.py."""
    down = [c.width * times for times in WIDTHS]
    up = down[::-1]
    encoder = layout(
        Conv(3, c.width, 7), groups(c.width, down, c.blocks, (3, 3, 3, 1), "pool"), down[-1], c.codes
    )
    decoder = layout(
        Conv(c.codes, c.entry, 1), groups(c.entry, up, c.blocks, (1, 3, 3, 3), "upsample"), c.width, 6
    )
    return encoder, decoder


def packaged(c: DVAEConfig):
    """The same from the package itself."""
    package = pytest.importorskip("dall_e", reason="dall_e is no dependency")
    size = {"n_hid": c.width, "n_blk_per_group": c.blocks, "vocab_size": c.codes}
    return package.Encoder(**size), package.Decoder(n_init=c.entry, **size)


def official_name(ours: str) -> str:
    """The package's name of one of our parameters, without "encoder." or "decoder."."""
    at, rest = ours.split(".", 1)
    at, leaf = int(at), {"weight": "w", "bias": "b"}[ours.rsplit(".", 1)[1]]
    if at == 0:
        return f"blocks.input.{leaf}"
    if at == last(CONFIG):
        return f"blocks.output.conv.{leaf}"
    group, block = divmod(at - 1, CONFIG.blocks + 1)  # each group is its blocks and one change of side
    part = "id_path" if rest.startswith("shortcut") else f"res_path.conv_{int(rest.split('.')[1]) + 1}"
    return f"blocks.group_{group + 1}.block_{block + 1}.{part}.{leaf}"


def last(c: DVAEConfig) -> int:
    """Where the last convolution stands: behind input, blocks, changes of side and a ReLU."""
    return c.groups * c.blocks + (c.groups - 1) + 2


def copied(encoder, decoder) -> DVAE:
    """Ours with their weights; every one of theirs is used, once."""
    net = DVAE(CONFIG).eval()
    for ours, theirs in ((net.encoder, encoder), (net.decoder, decoder)):
        names = {name: official_name(name) for name in ours.state_dict()}
        state = theirs.state_dict()
        assert sorted(names.values()) == sorted(state)
        ours.load_state_dict({name: state[official] for name, official in names.items()})
    return net


def run(module, x):
    return module.blocks(x) if hasattr(module, "blocks") else module["blocks"](x)


@pytest.fixture(scope="module", params=[written, packaged], ids=["layout", "package"])
def pair(request):
    torch.manual_seed(0)
    encoder, decoder = (randomised(module) for module in request.param(CONFIG))
    return encoder, decoder, copied(encoder, decoder)


def test_same_weights_same_numbers(pair):
    encoder, decoder, net = pair
    with torch.no_grad():
        logits = run(encoder, dvae.map_pixels(IMAGES))
        assert logits.shape == (2, CONFIG.codes, 2, 2)
        agree(net.logits(IMAGES), logits)
        assert torch.equal(net.codes_of(IMAGES), logits.argmax(1))
        soft = logits.softmax(1)
        agree(net.decoder(soft), run(decoder, soft))


def test_every_tensor_of_theirs_moves_theirs_and_ours_alike(pair):
    """Negative control: with one of their tensors moved, ours as it was must part from theirs."""
    encoder, decoder, net = pair
    soft = torch.rand(2, CONFIG.codes, 2, 2, generator=torch.Generator().manual_seed(3)).softmax(1)
    for theirs, ours, x in (
        (encoder, net.encoder, dvae.map_pixels(IMAGES)), (decoder, net.decoder, soft),
    ):  # fmt: skip
        names = {official_name(name): name for name in ours.state_dict()}
        with torch.no_grad():
            before = ours(x)
            for name, parameter in theirs.named_parameters():
                kept = parameter.clone()
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(4)))
                moved = run(theirs, x)
                own = dict(ours.named_parameters())[names[name]]
                own.copy_(parameter)
                agree(ours(x), moved)
                own.copy_(kept)
                parameter.copy_(kept)
                assert float((moved - before).abs().max()) > 1e-5 * float(before.abs().max()), name


def test_pixels_are_mapped_as_in_the_package():
    package = pytest.importorskip("dall_e", reason="dall_e is no dependency")
    x = torch.rand(2, 3, 4, 4)
    assert sys.modules["dall_e.utils"].logit_laplace_eps == dvae.EPS
    torch.testing.assert_close(dvae.map_pixels(x), package.map_pixels(x))
    torch.testing.assert_close(dvae.unmap_pixels(x), package.unmap_pixels(x))
