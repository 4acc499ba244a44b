"""Guidance: two conventions, off by one, and prompts that are dropped."""

import pytest
import torch

from lecture10.models.guidance import drop_prompts, from_ho_and_salimans, guide

WITHOUT, WITH = torch.tensor([1.0, 2.0]), torch.tensor([2.0, 0.0])


def test_zero_ignores_the_prompt_one_is_off_and_more_goes_on_along_the_line():
    assert torch.equal(guide(WITHOUT, WITH, 0), WITHOUT)
    assert torch.equal(guide(WITHOUT, WITH, 1), WITH)
    assert torch.equal(guide(WITHOUT, WITH, 3), torch.tensor([4.0, -4.0]))


@pytest.mark.parametrize("w", [0.0, 0.5, 6.5])
def test_ho_and_salimans_count_from_zero(w):
    theirs = (1 + w) * WITH - w * WITHOUT
    torch.testing.assert_close(guide(WITHOUT, WITH, from_ho_and_salimans(w)), theirs)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"guidance is -0.5: .*w is one less"):
        guide(WITHOUT, WITH, -0.5)
    with pytest.raises(ValueError, match="guidance is nan"):
        guide(WITHOUT, WITH, float("nan"))
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        guide(WITHOUT, WITH[:1], 2)
    with pytest.raises(ValueError, match=r"share is 1\.5"):
        drop_prompts(torch.zeros(2, 3, 4), torch.zeros(3, 4), 1.5, torch.Generator())


def test_a_share_of_whole_prompts_is_dropped_and_the_rest_stays():
    context, empty = torch.randn(4000, 3, 2), torch.full((3, 2), 9.0)
    found = drop_prompts(context, empty, 0.1, torch.Generator().manual_seed(0))
    gone = (found == 9).flatten(1).all(1)
    assert gone.float().mean().item() == pytest.approx(0.1, abs=0.015)
    assert torch.equal(found[~gone], context[~gone])
    assert torch.equal(drop_prompts(context, empty, 0.0, torch.Generator()), context)
