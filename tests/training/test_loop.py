"""The loop: equal to the plain one, right about decay, average, clipping, precision; and what it refuses."""

import math
import random

import numpy as np
import pytest
import tiny_run
import torch
from torch import nn

from lecture10.training import (
    TrainSettings,
    learning_rate,
    plain_loop,
    run,
    stream,
)
from lecture10.training.optimise import parameter_groups

PLAIN = {"warmup": 0, "floor": 1, "weight_decay": 0, "clip": None}


@pytest.mark.parametrize("kind", ["function", "list"])
def test_equals_the_plain_loop_bit_for_bit(quick, kind):
    batches = tiny_run.draw
    if kind == "list":
        batches = [tiny_run.draw(torch.Generator().manual_seed(i)) for i in range(5)]
    ours, plain = tiny_run.regressor(), tiny_run.regressor()
    history = quick(ours, batches=batches, steps=30, options={"seed": 7, "log_every": 1}, **PLAIN)
    losses = plain_loop(plain, tiny_run.squared, stream(batches, seed=7), steps=30, lr=1e-2)
    assert history.curve("loss")[1] == losses
    assert tiny_run.same(tiny_run.weights(ours), tiny_run.weights(plain))
    other = tiny_run.regressor()
    plain_loop(other, tiny_run.squared, stream(batches, seed=7), steps=29, lr=1e-2)
    assert not tiny_run.same(tiny_run.weights(ours), tiny_run.weights(other))


def test_it_learns_and_comes_back_ready_to_use(quick):
    model = tiny_run.tiny_model()
    history = quick(model, tiny_run.tiny_loss, steps=300, ema=0.95)
    assert history.last("loss") < history.curve("loss")[1][0] / 5
    assert not any(module.training for module in model.modules())
    assert all(p.grad is None for p in model.parameters())


def test_one_seed_one_outcome_whatever_is_logged_evaluated_or_drawn_outside(quick):
    def evaluate(model):
        torch.rand(3), np.random.rand(), random.random()  # noqa: NPY002
        return float(torch.rand(()))

    outcomes = []
    for i, options in enumerate(
        [{"seed": 1}, {"seed": 1, "evaluate": evaluate, "evaluate_every": 2}, {"seed": 2}]
    ):
        torch.manual_seed(i)
        model = tiny_run.tiny_model()
        history = quick(model, tiny_run.tiny_loss, options=options | {"log_every": i + 1})
        outcomes.append(tiny_run.weights(model))
    assert tiny_run.same(outcomes[0], outcomes[1])
    assert not tiny_run.same(outcomes[0], outcomes[2])
    assert history.done == 12


def test_dropout_does_not_depend_on_how_much_chance_the_source_used(quick):
    def wasteful(generator):
        torch.rand(3)
        return tiny_run.draw(generator)

    models = [tiny_run.tiny_model() for _ in range(2)]
    quick(models[0], tiny_run.tiny_loss)
    quick(models[1], tiny_run.tiny_loss, wasteful)
    assert tiny_run.same(*map(tiny_run.weights, models))


def test_every_step_draws_anew(quick):
    drawn = []
    quick(tiny_run.regressor(), lambda m, b: (drawn.append(float(torch.rand(()))), tiny_run.squared(m, b))[1])
    assert len(set(drawn)) == 12


def test_evaluations_share_their_random_numbers(quick):
    history = quick(
        tiny_run.regressor(), options={"evaluate": lambda model: float(torch.rand(())), "evaluate_every": 3}
    )
    steps, values = history.curve("evaluation")
    assert steps == [3, 6, 9, 12]
    assert len(set(values)) == 1


def test_the_global_generators_come_out_as_they_went_in(quick):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[1], random.getstate()  # noqa: NPY002
    quick(tiny_run.tiny_model(), tiny_run.tiny_loss)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    assert random.getstate() == before[2]


def test_only_matrices_decay():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.tied = nn.Embedding(5, 4), nn.Embedding(5, 4)
            self.head, self.norm, self.conv = nn.Linear(4, 5), nn.LayerNorm(4), nn.Conv2d(2, 3, 3)
            self.head.weight = self.tied.weight
            self.class_token, self.scale = nn.Parameter(torch.ones(1, 1, 4)), nn.Parameter(torch.ones(()))
            self.frozen = nn.Parameter(torch.ones(4, 4), requires_grad=False)

    net = Net()
    names = {id(p): name for name, p in net.named_parameters()}
    decayed, kept = ({names[id(p)] for p in group["params"]} for group in parameter_groups(net, 0.1))
    assert decayed == {"tied.weight", "conv.weight"}
    assert kept == {
        "table.weight",
        "head.bias",
        "norm.weight",
        "norm.bias",
        "conv.bias",
        "class_token",
        "scale",
    }


def test_weight_decay_shrinks_what_has_no_gradient(quick):
    model = tiny_run.regressor()
    before = model[0].weight.detach().clone()
    quick(
        model, lambda m, b: (m[2].bias * 0).sum() + m[0].weight.sum() * 0, weight_decay=0.5, steps=1, warmup=0
    )
    assert torch.allclose(model[0].weight, before * (1 - 1e-2 * 0.5), atol=1e-7)


def test_gradients_are_clipped_together_and_their_length_recorded(quick):
    model = nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        model.weight.zero_()
    before = model.weight.detach().clone()
    seen = []

    class Spy(torch.optim.SGD):
        def step(self, *args):
            seen.append(model.weight.grad.norm().item())

    real = run.make_optimizer
    run.make_optimizer = lambda net, settings, fused: Spy(net.parameters(), lr=1)
    try:
        history = quick(
            model, lambda m, b: (m.weight * torch.tensor([3.0, 0.0, 4.0])).sum(), steps=2, clip=0.5
        )
    finally:
        run.make_optimizer = real
    assert history.curve("grad_norm")[1] == pytest.approx([5.0, 5.0])
    assert seen == pytest.approx([0.5, 0.5], rel=1e-4)
    assert torch.equal(before, model.weight)


def test_the_average_follows_its_formula_and_is_what_the_caller_gets(quick):
    raw, path = tiny_run.regressor(), []
    quick(raw, lambda m, b: (path.append(m[0].weight.detach().clone()), tiny_run.squared(m, b))[1], steps=9)
    path = [*path[1:], raw[0].weight.detach()]
    expected = tiny_run.regressor()[0].weight.detach().clone()
    for step, weights in enumerate(path):
        decay = min(0.8, (1 + step) / (10 + step))
        expected += (1 - decay) * (weights - expected)
    averaged, seen = tiny_run.regressor(), []
    options = {"evaluate": lambda m: seen.append(m[0].weight.detach().clone()) or 0.0, "evaluate_every": 9}
    quick(averaged, steps=9, ema=0.8, options=options)
    assert torch.allclose(averaged[0].weight, expected, atol=1e-6)
    assert not torch.allclose(averaged[0].weight, raw[0].weight, atol=1e-4)
    assert torch.equal(seen[0], averaged[0].weight)


def test_the_schedule_climbs_tops_out_and_comes_down():
    settings = TrainSettings(steps=100, lr=2.0, warmup=0.1, floor=0.1)
    rates = [learning_rate(settings, t / 100) for t in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == pytest.approx(2.0)
    assert rates.index(max(rates)) in (9, 10)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert learning_rate(settings, 1.0) == pytest.approx(0.2)
    assert learning_rate(settings, 0.55) == pytest.approx(2 * (0.1 + 0.9 / 2))
    constant = TrainSettings(steps=7, lr=0.1, warmup=0, floor=1)
    assert {learning_rate(constant, t / 7) for t in range(7)} == {0.1}


def test_bf16_computes_in_bf16_and_leaves_the_weights_and_forward_alone(quick):
    seen = []

    def loss(model, batch):
        out = model(batch[0])
        seen.append(out.dtype)
        return (out.float() - batch[1]).square().mean()

    model = tiny_run.regressor()
    quick(model, loss, steps=2, precision="bf16")
    quick(model, loss, steps=2, precision="auto")
    quick(model, loss, steps=2, precision="fp32")
    assert seen == [torch.bfloat16] * 2 + [torch.float32] * 4
    assert model[0].weight.dtype == torch.float32
    assert "forward" not in vars(model)


def test_throughput_counts_what_it_is_told_to(quick, monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr(run.time, "perf_counter", lambda: next(clock))
    samples = quick(tiny_run.regressor(), options={"log_every": 4})
    clock = iter(range(10**6))
    tokens = quick(
        tiny_run.regressor(), options={"log_every": 4, "count": lambda b: b[0].numel(), "unit": "tokens"}
    )
    assert tokens.unit == "tokens"
    ratio = np.array(tokens.curve("per_second")[1]) / np.array(samples.curve("per_second")[1])
    assert ratio == pytest.approx(4.0)


def test_further_numbers_are_recorded(quick):
    history = quick(
        tiny_run.regressor(), lambda m, b: (tiny_run.squared(m, b), {"size": 16.0, "peak": m(b[0]).max()})
    )
    assert history.last("size") == 16
    assert math.isfinite(history.last("peak"))
