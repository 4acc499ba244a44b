"""The arithmetic in latent diffusion's questions is right."""

import torch

from lecture10.models.guidance import from_ho_and_salimans, guide
from lecture10.quiz import bank

QUESTIONS = {q.id: q for q in bank.load("12_latent_diffusion")}


def right(name: str) -> str:
    question = QUESTIONS[name]
    return question.choices[question.answer].text


def test_places_and_numbers_of_the_factor():
    assert (512 * 512) / (64 * 64) == 64
    assert (512 * 512 * 3) / (64 * 64 * 4) == 48
    assert right("ldm-factor").startswith("64 times fewer places")
    assert "48 times fewer numbers" in right("ldm-factor")


def test_guidance_in_both_conventions():
    without, with_prompt = torch.tensor(1.0), torch.tensor(2.0)
    paper = guide(without, with_prompt, from_ho_and_salimans(2.0)).item()
    library = guide(without, with_prompt, 2.0).item()
    assert (paper, library) == (4.0, 3.0)
    assert right("ldm-guidance") == f"{paper} as Ho and Salimans count, {library} with the library."


def test_signal_and_noise_of_unscaled_latents():
    alpha_bar, spread = 0.04, 5.0
    assert round(alpha_bar * spread**2, 2) == 1.00
    assert round(1 - alpha_bar, 2) == 0.96
    assert "1.00 to the noise's 0.96" in QUESTIONS["ldm-scale"].why
