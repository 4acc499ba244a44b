"""`l10.check`: what it prints and returns, for stubs, mistakes, changed inputs and unknown names."""

import functools
import io
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from lecture10.exercises import Broken, Property, check, find, hint, judge
from lecture10.exercises.exercise import blank
from lecture10.exercises.shelf import unique


def prefix_mask(n_prefix, length):
    may_look = torch.ones(length, length, dtype=torch.bool).tril()
    may_look[:n_prefix, :n_prefix] = True
    return may_look


def named(name):
    def rename(function):
        function.__name__ = name
        return function

    return rename


def test_importing_the_room_does_not_load_torch():
    code = "import sys, lecture10.exercises, lecture10.quiz; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_a_right_answer_gets_one_line_of_praise(capsys):
    result = check(prefix_mask)
    assert result.passed
    assert result
    assert result.property is None
    assert capsys.readouterr().out == result.message + "\n"
    assert result.message.startswith("✓ prefix_mask: right.")
    assert "\n" not in result.message


def test_a_wrong_answer_is_told_the_property_the_example_and_the_next_hint(capsys):
    @named("prefix_mask")
    def causal(n_prefix, length):
        return torch.ones(length, length, dtype=torch.bool).tril()

    result = check(causal)
    assert (result.passed, result.property) == (False, "the prefix is open")
    assert not result
    assert capsys.readouterr().out == (
        "✗ prefix_mask: in prefix_mask(2, 5), position 0 may not look at 1, though both are prefix.\n"
        '  Inside the prefix everyone sees everyone.   [hint 1 of 3: l10.hint("prefix_mask")]\n'
    )


def test_the_pointer_follows_the_hints_seen(capsys):
    def pointed():
        check("first_loss", 7.0)
        return capsys.readouterr().out.split("[")[-1].strip()

    told = [pointed()]
    for _ in range(3):
        hint("first_loss")
        capsys.readouterr()
        told.append(pointed())
    assert [t.split(":")[0] for t in told] == [
        "hint 1 of 3",
        "hint 2 of 3",
        "hint 3 of 3",
        "the model answer",
    ]


def test_a_stub_prints_the_same_whatever_hints_were_seen(capsys):
    check("first_loss", ...)
    before = capsys.readouterr().out
    hint("first_loss")
    capsys.readouterr()
    assert not check("first_loss", None).attempted
    assert capsys.readouterr().out == before
    assert before.startswith("· first_loss: not attempted yet. Predict: ")


def test_an_error_is_shown_with_the_learners_line_and_the_example(capsys):
    def deeper(x):
        return x[100]

    @named("prefix_mask")
    def broken(n_prefix, length):
        may_look = torch.ones(length, length)
        return deeper(may_look)

    result = check(broken)
    assert result.property == "runs"
    said, line, called = result.message.splitlines()
    assert said.startswith("✗ prefix_mask: IndexError: index 100 is out of bounds")
    assert line == "  in line 4 of your function: return deeper(may_look)"
    assert called == "  called with n_prefix = 2, length = 5."


def test_examples_show_tensors_by_shape():
    @named("tied_loss")
    def broken(h, W_e, tokens, lengths):
        raise KeyError("x")

    result = check(broken)
    assert "h = (2, 4, 6) float32, W_e = (9, 6) float32, tokens = (2, 4) int64" in result.message


def test_a_function_with_other_parameters_is_told_what_it_is_called_with():
    @named("prefix_mask")
    def short(n_prefix):
        return prefix_mask(n_prefix, 5)

    result = check(short)
    assert result.property == "runs"
    assert "takes 1 positional argument but 2 were given" in result.message
    assert "called with n_prefix = 2, length = 5" in result.message


def test_a_forgotten_return_is_no_error():
    @named("prefix_mask")
    def silent(n_prefix, length):
        prefix_mask(n_prefix, length)

    result = check(silent)
    assert not result.attempted
    assert "lacks its `return`" in result.message


def test_a_half_written_function_that_still_raises_is_not_attempted():
    @named("prefix_mask")
    def half(n_prefix, length):
        torch.ones(length, length)
        raise NotImplementedError

    assert not check(half).attempted


def test_not_implemented_inside_a_library_is_the_attempts_error():
    def library():
        raise NotImplementedError("tril is not implemented for this type")

    @named("prefix_mask")
    def unlucky(n_prefix, length):
        return library()

    result = check(unlucky)
    assert result.attempted
    assert result.property == "runs"


@pytest.mark.parametrize("change", [lambda t: t.zero_(), lambda t: t.unsqueeze_(0), lambda t: t.add_(1)])
def test_changed_inputs_are_noticed(change):
    @named("bits_per_byte")
    def greedy_hands(losses, byte_lengths):
        figure = losses.sum() / 0.6931472 / byte_lengths.sum()
        change(losses)
        return figure

    result = check(greedy_hands)
    assert result.property == "leaves its inputs alone"
    assert "`losses` ((3,) float32)" in result.message


def test_odd_return_values_break_a_property_and_nothing_else():
    odd = (
        "text",
        [1, 2],
        {},
        object(),
        torch.ones(2, 3),
        float("nan"),
        1j,
        True,
        lambda: 1,
        torch.tensor([]),
    )
    for value in odd:
        for name in ("prefix_mask", "tied_loss", "next_token_probs", "bits_per_byte", "gpt_parameters"):
            result = judge(find(name), lambda *_, v=value: v)
            assert result.attempted
            assert not result.passed, (name, value)
            assert result.message.startswith(f"✗ {name}: ")


def test_what_a_check_cannot_compare_breaks_its_property():
    def clumsy(fn):
        return fn() < 3

    e = replace(
        find("first_loss"), stub="def first_loss():\n    ...", properties=(Property("small", "r", clumsy),)
    )
    result = judge(e, lambda: "text")
    assert result.property == "small"
    assert "could not be used (TypeError" in result.message


def test_the_seed_of_the_notebook_is_left_alone():
    @named("prefix_mask")
    def noisy(n_prefix, length):
        torch.manual_seed(5)
        torch.rand(3)
        return prefix_mask(n_prefix, length)

    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    assert check(noisy).passed
    assert torch.equal(torch.rand(2), expected)


def test_a_lucky_draw_is_not_lucky_every_second_time():
    """An attempt that draws at random gets the same verdict each time."""
    drawn = []

    @named("bits_per_byte")
    def random(losses, byte_lengths):
        drawn.append(torch.rand(()).item())
        return drawn[-1]

    first = judge(find("bits_per_byte"), random)
    torch.rand(1)  # the notebook goes on drawing
    assert judge(find("bits_per_byte"), random) == first
    assert drawn[: len(drawn) // 2] == drawn[len(drawn) // 2 :]


def test_functions_can_be_checked_under_another_name_and_behind_a_decorator():
    assert check("prefix_mask", lambda n, t: prefix_mask(n, t)).passed

    def kept(function):
        @functools.wraps(function)
        def outer(*arguments):
            return function(*arguments)

        return outer

    @kept
    @named("prefix_mask")
    def broken(n_prefix, length):
        return [][n_prefix]

    @kept
    @named("prefix_mask")
    def half(n_prefix, length):
        raise NotImplementedError

    assert check(kept(prefix_mask)).passed
    assert check(torch.no_grad()(prefix_mask)).passed
    assert "your function: return [][n_prefix]" in check(broken).message
    assert not check(half).attempted


def test_unknown_names_get_the_nearest_one():
    with pytest.raises(ValueError, match=r"there is no exercise 'prefix_msk'; did you mean 'prefix_mask'\?"):
        check(named("prefix_msk")(lambda n, t: None))
    with pytest.raises(ValueError, match="did you mean 'first_loss'"):
        hint("firstloss")


def test_calls_that_lack_something_say_how_to_call():
    with pytest.raises(ValueError, match=r"l10.check\(prefix_mask\).*it got int 5"):
        check(5)
    with pytest.raises(ValueError, match="lacks your function after the name"):
        check("prefix_mask")
    with pytest.raises(ValueError, match="lacks a number after the name"):
        check("first_loss")
    assert "asks for a value, not a function" in check("first_loss", prefix_mask).message
    assert "asks for a function" in check("prefix_mask", 5).message


def test_a_notebook_shows_the_message_once():
    from IPython.core.formatters import DisplayFormatter

    assert DisplayFormatter().format(check(prefix_mask)) == ({}, {})


def test_a_console_without_the_mark_still_gets_its_sentence(monkeypatch):
    bare = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", bare)
    check(prefix_mask)
    bare.flush()
    assert bare.buffer.getvalue().decode("cp1252").startswith("? prefix_mask: right.")


def test_half_written_exercises_are_refused():
    e = find("first_loss")
    with pytest.raises(ValueError, match="three hints, got 2"):
        replace(e, hints=("a", "b"))
    with pytest.raises(ValueError, match="its teaches is empty"):
        replace(e, teaches=" ")
    with pytest.raises(ValueError, match="properties need different names"):
        replace(e, properties=e.properties + e.properties[:1])
    with pytest.raises(ValueError, match="two exercises are called 'first_loss'"):
        unique([e, e])
    with pytest.raises(ValueError, match="needs a docstring"):
        blank(prefix_mask)


def test_broken_carries_its_property_where_a_tool_knows_it():
    assert Broken("said", "which").property == "which"
    assert str(Broken("said")) == "said"
