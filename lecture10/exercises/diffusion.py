"""The exercises of 11_diffusion: what is left of a picture, the bound's KL, draws, jumps, and two repairs."""

from lecture10.exercises.answers import diffusion as answers
from lecture10.exercises.checks import diffusion_steps as steps
from lecture10.exercises.checks import diffusion_vae as vae
from lecture10.exercises.exercise import Property, written

BROKEN_POSTERIOR = '''import torch


def repair_posterior(x_0: torch.Tensor, x_t: torch.Tensor, t: int, betas: torch.Tensor) -> torch.Tensor:
    """The mean of x one step before t, given x_t and x_0 (DDPM, eq. 7). t counts from 0; before 0 is x_0."""
    alpha, alpha_bar = 1 - betas[t], torch.cumprod(1 - betas, 0)[t]
    of_x_0 = alpha_bar.sqrt() * betas[t] / (1 - alpha_bar)
    of_x_t = alpha.sqrt() * (1 - alpha_bar) / (1 - alpha_bar)
    return of_x_0 * x_0 + of_x_t * x_t'''
BROKEN_STEP = '''import torch


def repair_step(
    x_t: torch.Tensor, eps: torch.Tensor, z: torch.Tensor, t: int, betas: torch.Tensor
) -> torch.Tensor:
    """One DDPM step back (algorithm 2): from x_t and the noise eps seen in it. z: fresh noise; σ_t = √β_t."""
    alpha_bar = torch.cumprod(1 - betas, 0)[t]
    mean = (x_t - betas[t] / (1 - alpha_bar).sqrt() * eps) / (1 - betas[t]).sqrt()
    return mean + betas[t].sqrt() * z'''

SIGNAL_LEFT = written(
    answers.signal_left,
    stub="signal_left = ...  # your prediction, from 0 (nothing) to 1 (all)",
    notebook="11_diffusion",
    title="Predict √ᾱ_T: 100 steps with the β that were made for 1,000, from 0.0001 to 0.02.",
    properties=(
        Property("one number", "A prediction is one number.", vae.signal_is_one_number),
        Property("a share", "√ᾱ_T multiplies x_0: it lies in [0, 1].", vae.signal_is_a_share),
        Property(
            "a hundred steps are no thousand",
            "0.006 is left after 1,000 such steps; here Σ β is a tenth of theirs.",
            vae.signal_is_not_gone,
        ),
        Property("all steps count", "ᾱ_T is a product over all steps.", vae.signal_of_all_steps),
        Property("the root", "√ᾱ_T is about exp(−½ Σ β), ᾱ_T about exp(−Σ β).", vae.signal_is_the_root),
    ),
    hints=(
        "√ᾱ_T is the product of a hundred factors √(1 − β_t); the mean of β is 0.01.",
        "For small β, √(1 − β) is about exp(−β / 2): add up the exponents.",
        "math.exp(-0.5 * 100 * 0.01005)",
    ),
    teaches="0.60: sampling would start from noise that such a network has never seen.",
)

KL_TERM = written(
    answers.kl_term,
    notebook="11_diffusion",
    title="The second term of a VAE's bound in closed form: how far is q(z|x) from N(0, 1)?",
    properties=(
        Property(
            "one for each datum", "Sum over the latent's numbers, not the batch.", vae.kl_for_each_datum
        ),
        Property("zero for the prior", "N(0, 1) is at no distance from itself.", vae.kl_of_the_prior_is_zero),
        Property(
            "never negative",
            "Turn the sign: what is subtracted in the bound is a KL >= 0.",
            vae.kl_is_never_negative,
        ),
        Property("a moved mean", "Where σ = 1, a mean μ costs μ² / 2.", vae.kl_of_a_moved_mean),
        Property(
            "another width",
            "σ² is exp(log_variance), and its logarithm is log_variance.",
            vae.kl_of_another_width,
        ),
        Property(
            "it can be trained", "Return a tensor that knows where it came from.", vae.kl_can_be_trained
        ),
    ),
    hints=(
        "Four terms for each number: μ², σ², 1 and ln σ². Which have a minus?",
        "½ Σ (μ² + σ² − 1 − ln σ²), summed over the latent (dim=1).",
        "0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)",
    ),
    teaches="This KL pulls every q(z|x) to N(0, 1): it is what lets us draw z from N(0, 1) afterwards.",
)

DRAW_LATENT = written(
    answers.draw_latent,
    notebook="11_diffusion",
    title="Draw z so that a gradient passes through: the chance comes from outside.",
    properties=(
        Property("(B, Z)", "A draw has the shape of the mean.", vae.draw_has_the_shape),
        Property(
            "no noise, no chance",
            "Use the noise that is given, and no other: at 0, z is μ.",
            vae.no_noise_no_chance,
        ),
        Property("noise times σ", "σ is the root of exp(log_variance).", vae.noise_is_scaled_by_sigma),
        Property(
            "a gradient reaches both",
            "No detach, no no_grad, no draw from (μ, σ).",
            vae.gradient_reaches_both,
        ),
    ),
    hints=(
        "A draw from N(μ, σ²) is a draw from N(0, 1), stretched and moved.",
        "z = μ + σ · noise, and σ = exp(½ ln σ²).",
        "mean + (log_variance / 2).exp() * noise",
    ),
    teaches="torch.normal(mean, std) has the same distribution, and no gradient: nothing would be learnt.",
)

JUMP = written(
    answers.jump,
    notebook="11_diffusion",
    title="A variant of the closed form: from a step s, already noisy, straight to a later step t.",
    properties=(
        Property("(B, D)", "x_t has the shape of x_s.", steps.jump_has_the_shape),
        Property("no step, no change", "Where ᾱ_t = ᾱ_s, no noise is added.", steps.no_step_no_change),
        Property("from clean data", "Where ᾱ_s = 1, it is √ᾱ_t x_0 + √(1 − ᾱ_t) ε.", steps.from_clean_data),
        Property("the signal shrinks by a ratio", "√ᾱ_s becomes √ᾱ_t.", steps.the_signal_shrinks_as_much),
        Property(
            "variances add up", "Old noise shrinks, fresh noise fills up to 1 − ᾱ_t.", steps.two_jumps_are_one
        ),
    ),
    hints=(
        "What must √ᾱ_s x_0 be multiplied with, to become √ᾱ_t x_0?",
        "With k = ᾱ_t / ᾱ_s: √k x_s. The noise in it has then the variance k (1 − ᾱ_s). How much is missing?",
        "1 − ᾱ_t − k (1 − ᾱ_s) = 1 − k",
    ),
    teaches="Gaussian noise on Gaussian noise is Gaussian noise: so any number of steps is one formula.",
)

SHORTER_BETAS = written(
    answers.shorter_betas,
    notebook="11_diffusion",
    title="The paper's schedule has 1,000 steps. Make one of T that ends in as pure a noise.",
    properties=(
        Property("(T,)", "One β for each step.", steps.betas_one_for_each_step),
        Property(
            "variances, rising", "0 < β < 1, each larger than the one before.", steps.betas_are_variances
        ),
        Property("a thousand as in the paper", "At T = 1000 nothing changes.", steps.betas_of_a_thousand),
        Property("noise is reached", "Fewer steps must each add more.", steps.betas_reach_noise),
        Property(
            "both ends",
            "Both ends are multiplied, so that Σ β stays what it was.",
            steps.betas_keep_their_sum,
        ),
    ),
    hints=(
        "√ᾱ_T is about exp(−½ Σ β): what must stay the same?",
        "A tenth of the steps: ten times the β.",
        "torch.linspace(1e-4 * 1000 / T, 0.02 * 1000 / T, T)",
    ),
    teaches="β is a rate: noise per step. With another number of steps it has to be another number.",
)

REPAIR_POSTERIOR = written(
    answers.repair_posterior,
    stub=BROKEN_POSTERIOR,
    notebook="11_diffusion",
    title="This posterior mean runs, and its samples are odd. Which step does each ᾱ belong to?",
    properties=(
        Property("a picture", "The mean has the shape of x_0.", steps.posterior_has_the_shape),
        Property(
            "before t = 0 are the data", "There ᾱ is 1: no noise.", steps.before_the_first_step_is_the_data
        ),
        Property(
            "what is sure stays sure",
            "√ᾱ_t x_0 lies on the way from √ᾱ_{t−1} x_0.",
            steps.what_is_sure_stays_sure,
        ),
        Property(
            "Bayes' rule", "The weights of x_0 and x_t are eq. 7's, no others.", steps.posterior_is_bayes_rule
        ),
    ),
    hints=(
        "Eq. 7 has two different ᾱ. Which one stands under the root, and which in the numerators?",
        "√ᾱ_{t−1} β_t / (1 − ᾱ_t) for x_0, and √α_t (1 − ᾱ_{t−1}) / (1 − ᾱ_t) for x_t.",
        "before = alpha_bars[t - 1] if t > 0 else 1; index −1 would be the last step.",
    ),
    teaches="With ᾱ_t in both places the mean of x_t hardly falls back: the samples keep their noise.",
)

REPAIR_STEP = written(
    answers.repair_step,
    stub=BROKEN_STEP,
    notebook="11_diffusion",
    title="All samples of this step look grainy, however well the network was trained. Why?",
    properties=(
        Property("a picture", "One step back has the shape of x_t.", steps.step_has_the_shape),
        Property(
            "the last step is quiet",
            "At t = 0 the mean is the picture: add nothing.",
            steps.the_last_step_is_quiet,
        ),
        Property(
            "earlier steps are not",
            "From t = 1 on, fresh noise is part of the step.",
            steps.earlier_steps_are_not,
        ),
        Property(
            "its width is √β", "z has variance 1: multiply it by σ_t = √β_t.", steps.noise_has_the_width_sigma
        ),
        Property(
            "the mean is the posterior's",
            "(x_t − β / √(1 − ᾱ_t) ε) / √α_t, α_t without bar.",
            steps.the_mean_is_the_posteriors,
        ),
    ),
    hints=(
        "What does the step from t = 0 lead to, and what is added there?",
        "Algorithm 2, line 3: z = 0 in the last step. The paper's last step is t = 1, here it is t = 0.",
        "return mean if t == 0 else mean + betas[t].sqrt() * z",
    ),
    teaches="Noise that is added in the last step is never taken away again.",
)

EXERCISES = (
    SIGNAL_LEFT,
    KL_TERM,
    DRAW_LATENT,
    JUMP,
    SHORTER_BETAS,
    REPAIR_POSTERIOR,
    REPAIR_STEP,
)
