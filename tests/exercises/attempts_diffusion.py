"""Attempts at 11_diffusion: RIGHT ones, and WRONG ones with the property each breaks."""

import torch

# --- kl_term: (mean, log_variance) -> (B,)


def kl_by_torch(mean, log_variance):
    normal = torch.distributions.Normal
    return torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0)).sum(1)


def kl_by_sigma(mean, log_variance):
    sigma = log_variance.mul(0.5).exp()
    return torch.sum(-torch.log(sigma) + (sigma.square() + mean.square()) / 2 - 0.5, dim=-1)


def kl_over_the_batch(mean, log_variance):
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()


def kl_upside_down(mean, log_variance):
    return 0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1)


def kl_without_one(mean, log_variance):
    return 0.5 * (mean**2 + log_variance.exp() - log_variance).sum(1)


def kl_without_half(mean, log_variance):
    return (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)


def kl_of_a_deviation(mean, log_std):
    return 0.5 * (mean**2 + (2 * log_std).exp() - 1 - 2 * log_std).sum(1)


def kl_averaged(mean, log_variance):
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean(1)


def kl_cut_off(mean, log_variance):
    return kl_by_torch(mean, log_variance).detach()


# --- draw_latent: (mean, log_variance, noise) -> (B, Z)


def drawn_by_root(mean, log_variance, noise):
    return torch.addcmul(mean, torch.sqrt(torch.exp(log_variance)), noise)


def drawn_by_sigma(mean, log_variance, noise):
    sigma = torch.exp(log_variance * 0.5)
    return noise * sigma + mean


def drawn_by_torch(mean, log_variance, noise):
    return torch.normal(mean, (log_variance / 2).exp())


def drawn_by_variance(mean, log_variance, noise):
    return mean + log_variance.exp() * noise


def drawn_by_logarithm(mean, log_variance, noise):
    return mean + log_variance * noise


def drawn_detached(mean, log_variance, noise):
    return (mean + (log_variance / 2).exp() * noise).detach()


def drawn_with_a_fixed_sigma(mean, log_variance, noise):
    return mean + (log_variance.detach() / 2).exp() * noise


def drawn_summed(mean, log_variance, noise):
    return (mean + (log_variance / 2).exp() * noise).sum(1)


# --- jump: (x_s, eps, ᾱ_s, ᾱ_t) -> x_t


def jumped_by_ratio(x_s, eps, alpha_bar_s, alpha_bar_t):
    return (alpha_bar_t / alpha_bar_s) ** 0.5 * x_s + torch.sqrt(1 - alpha_bar_t / alpha_bar_s) * eps


def jumped_by_missing_variance(x_s, eps, alpha_bar_s, alpha_bar_t):
    shrink = torch.sqrt(alpha_bar_t) / torch.sqrt(alpha_bar_s)
    missing = (1 - alpha_bar_t) - shrink**2 * (1 - alpha_bar_s)
    return shrink * x_s + missing.clamp(min=0).sqrt() * eps


def jumped_as_from_the_data(x_s, eps, alpha_bar_s, alpha_bar_t):
    return alpha_bar_t.sqrt() * x_s + (1 - alpha_bar_t).sqrt() * eps


def jumped_without_roots(x_s, eps, alpha_bar_s, alpha_bar_t):
    kept = alpha_bar_t / alpha_bar_s
    return kept * x_s + (1 - kept) * eps


def jumped_by_difference(x_s, eps, alpha_bar_s, alpha_bar_t):
    return (alpha_bar_t / alpha_bar_s).sqrt() * x_s + (alpha_bar_s - alpha_bar_t).sqrt() * eps


def jumped_with_a_root_on_noise_alone(x_s, eps, alpha_bar_s, alpha_bar_t):
    wrong = 1 - alpha_bar_s + alpha_bar_t  # agrees with the ratio where one of them is 1
    return wrong.sqrt() * x_s + (1 - wrong).sqrt() * eps


def jumped_to_one_number(x_s, eps, alpha_bar_s, alpha_bar_t):
    return jumped_by_ratio(x_s, eps, alpha_bar_s, alpha_bar_t).mean()


# --- shorter_betas: T -> (T,)


def betas_times(T):
    return torch.linspace(0.0001, 0.02, T) * (1000 / T)


def betas_by_hand(T):
    return torch.tensor([(0.1 + (20 - 0.1) * t / (T - 1)) / T for t in range(T)])


def betas_as_they_stand(T):
    return torch.linspace(1e-4, 0.02, T)


def betas_divided(T):
    return torch.linspace(1e-4, 0.02, T) * (T / 1000)


def betas_too_many(T):
    return torch.linspace(1e-4, 0.02, 1000)[:: 1000 // T].repeat(2)


def betas_clamped(T):
    return (torch.linspace(1e-4, 0.02, T) * (1000 / T) * 4).clamp(max=0.9)


def betas_over_one(T):
    return torch.linspace(1e-4, 0.02, T) * (1000 / T) ** 2


def betas_with_one_end(T):
    return torch.linspace(1e-4, 0.02 * 1000 / T, T)


def betas_a_little_more(T):
    return torch.linspace(1e-4, 0.021, T) * 1000 / T


# --- repair_posterior: (x_0, x_t, t, betas)


def _bars(betas):
    return torch.cat([torch.ones(1), torch.cumprod(1 - betas, 0)])  # [t + 1] is ᾱ_t, [0] is 1


def posterior_by_padding(x_0, x_t, t, betas):
    bars = _bars(betas)
    before, now = bars[t], bars[t + 1]
    return (before.sqrt() * betas[t] * x_0 + (1 - betas[t]).sqrt() * (1 - before) * x_t) / (1 - now)


def posterior_by_noise(x_0, x_t, t, betas):
    now = torch.prod(1 - betas[: t + 1])
    eps = (x_t - now.sqrt() * x_0) / (1 - now).sqrt()
    return (x_t - betas[t] / (1 - now).sqrt() * eps) / (1 - betas[t]).sqrt()


def posterior_of_one_bar(x_0, x_t, t, betas):
    bar = torch.cumprod(1 - betas, 0)[t]
    return bar.sqrt() * betas[t] / (1 - bar) * x_0 + (1 - betas[t]).sqrt() * x_t


def posterior_wrapped_round(x_0, x_t, t, betas):
    bars = torch.cumprod(1 - betas, 0)
    before, now = bars[t - 1], bars[t]  # at t = 0 that is the last of all
    return (before.sqrt() * betas[t] * x_0 + (1 - betas[t]).sqrt() * (1 - before) * x_t) / (1 - now)


def posterior_without_roots(x_0, x_t, t, betas):
    before, now = _bars(betas)[t], _bars(betas)[t + 1]
    return (before * betas[t] * x_0 + (1 - betas[t]) * (1 - before) * x_t) / (1 - now)


def posterior_swapped(x_0, x_t, t, betas):
    if t == 0:
        return x_0 + 0
    return posterior_by_padding(x_t, x_0, t, betas)


def posterior_along_the_line(x_0, x_t, t, betas):
    before, now = _bars(betas)[t], _bars(betas)[t + 1]
    eps = (x_t - now.sqrt() * x_0) / (1 - now).sqrt()
    return before.sqrt() * x_0 + (1 - before).sqrt() * eps  # that is DDIM's


def posterior_of_the_mean(x_0, x_t, t, betas):
    return posterior_by_padding(x_0, x_t, t, betas).mean(0)


# --- repair_step: (x_t, eps, z, t, betas)


def step_by_if(x_t, eps, z, t, betas):
    bar = torch.cumprod(1 - betas, 0)[t]
    x = (x_t - betas[t] / torch.sqrt(1 - bar) * eps) / torch.sqrt(1 - betas[t])
    if t > 0:
        x = x + torch.sqrt(betas[t]) * z
    return x


def step_by_posterior(x_t, eps, z, t, betas):
    bar = torch.prod(1 - betas[: t + 1])
    x_0 = (x_t - (1 - bar).sqrt() * eps) / bar.sqrt()
    return posterior_by_padding(x_0, x_t, t, betas) + (t != 0) * betas[t] ** 0.5 * z


def step_loud_to_the_end(x_t, eps, z, t, betas):
    quiet = step_by_if(x_t, eps, torch.zeros_like(z), t, betas)
    return quiet + betas[t] ** 0.5 * z


def step_never_loud(x_t, eps, z, t, betas):
    return step_by_if(x_t, eps, torch.zeros_like(z), t, betas)


def step_counted_from_one(x_t, eps, z, t, betas):
    return step_by_if(x_t, eps, z * (t > 1), t, betas)


def step_with_variance(x_t, eps, z, t, betas):
    return step_by_if(x_t, eps, z * betas[t].sqrt(), t, betas)


def step_with_bar(x_t, eps, z, t, betas):
    bar = torch.cumprod(1 - betas, 0)[t]
    mean = (x_t - betas[t] / (1 - bar).sqrt() * eps) / bar.sqrt()
    return mean + (t > 0) * betas[t].sqrt() * z


def step_without_root(x_t, eps, z, t, betas):
    bar = torch.cumprod(1 - betas, 0)[t]
    mean = (x_t - betas[t] / (1 - bar) * eps) / (1 - betas[t]).sqrt()
    return mean + (t > 0) * betas[t].sqrt() * z


def step_to_one_number(x_t, eps, z, t, betas):
    return step_by_if(x_t, eps, z, t, betas).sum()


RIGHT = {
    "signal_left": [0.604, 0.6, torch.tensor(0.61)],
    "kl_term": [kl_by_torch, kl_by_sigma],
    "draw_latent": [drawn_by_root, drawn_by_sigma],
    "jump": [jumped_by_ratio, jumped_by_missing_variance],
    "shorter_betas": [betas_times, betas_by_hand],
    "repair_posterior": [posterior_by_padding, posterior_by_noise],
    "repair_step": [step_by_if, step_by_posterior],
}
WRONG = {
    "signal_left": [
        ("0.6", "one number"),
        (60.4, "a share"),
        (-0.5, "a share"),
        (0.006, "a hundred steps are no thousand"),
        (0.995, "all steps count"),
        (0.365, "the root"),
    ],
    "kl_term": [
        (kl_over_the_batch, "one for each datum"),
        (kl_without_one, "zero for the prior"),
        (kl_upside_down, "never negative"),
        (kl_without_half, "a moved mean"),
        (kl_averaged, "a moved mean"),
        (kl_of_a_deviation, "another width"),
        (kl_cut_off, "it can be trained"),
    ],
    "draw_latent": [
        (drawn_summed, "(B, Z)"),
        (drawn_by_torch, "no noise, no chance"),
        (drawn_by_variance, "noise times σ"),
        (drawn_by_logarithm, "noise times σ"),
        (drawn_detached, "a gradient reaches both"),
        (drawn_with_a_fixed_sigma, "a gradient reaches both"),
    ],
    "jump": [
        (jumped_to_one_number, "(B, D)"),
        (jumped_as_from_the_data, "no step, no change"),
        (jumped_without_roots, "from clean data"),
        (jumped_with_a_root_on_noise_alone, "the signal shrinks by a ratio"),
        (jumped_by_difference, "variances add up"),
    ],
    "shorter_betas": [
        (betas_too_many, "(T,)"),
        (betas_clamped, "variances, rising"),
        (betas_over_one, "variances, rising"),
        (betas_as_they_stand, "noise is reached"),
        (betas_divided, "noise is reached"),
        (betas_a_little_more, "a thousand as in the paper"),
        (betas_with_one_end, "both ends"),
    ],
    "repair_posterior": [
        (posterior_of_the_mean, "a picture"),
        (posterior_of_one_bar, "before t = 0 are the data"),
        (posterior_wrapped_round, "before t = 0 are the data"),
        (posterior_without_roots, "what is sure stays sure"),
        (posterior_swapped, "what is sure stays sure"),
        (posterior_along_the_line, "Bayes' rule"),
    ],
    "repair_step": [
        (step_to_one_number, "a picture"),
        (step_loud_to_the_end, "the last step is quiet"),
        (step_never_loud, "earlier steps are not"),
        (step_counted_from_one, "earlier steps are not"),
        (step_with_variance, "its width is √β"),
        (step_with_bar, "the mean is the posterior's"),
        (step_without_root, "the mean is the posterior's"),
    ],
}
