"""Model answers to the exercises of 12_latent_diffusion. Their docstrings are the tasks the learner reads."""

import math

import torch


def attention_saved() -> int:
    """512 / 8 = 64 places a side instead of 512; each place is compared with each, so the ratio is 8⁴."""
    return (512**2) ** 2 // (64**2) ** 2


def repair_latent_loss(
    pictures: torch.Tensor,
    back: torch.Tensor,
    mean: torch.Tensor,
    log_variance: torch.Tensor,
    weight: float,
) -> torch.Tensor:
    """The autoencoder's loss: squared error and weight · KL(q ‖ N(0, 1)), both per number of the pictures.

    pictures, back (B, 3, S, S): what went in and what came out; mean, log_variance (B, z, h, h): μ, ln σ².
    The KL of a picture is summed over its latent, then divided by the 3 S² numbers of the picture.
    """
    error = (back - pictures).square().mean()
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    return error + weight * kl / pictures.numel()


def repair_draw(z: torch.Tensor, scale: float, decode) -> torch.Tensor:
    """From what sampling ends with to pictures (B, 3, S, S) in [0, 1].

    z (B, z, h, h): latents as the U-Net knows them. Training multiplied the encoder's latents by `scale`, so
    that their variance is 1. decode: takes latents as the encoder gives them; returns about [-1, 1].
    """
    return decode(z / scale).clamp(-1, 1) / 2 + 0.5


def look_at_words(
    places: torch.Tensor,
    words: torch.Tensor,
    real: torch.Tensor,
    W_Q: torch.Tensor,
    W_K: torch.Tensor,
    W_V: torch.Tensor,
) -> torch.Tensor:
    """Cross-attention with one head: softmax(Q Kᵀ / √d) V, Q from the picture, K and V from the words.

    places (B, P, D): φ(z_t); words (B, L, C): τ(y); real (B, L) bool, False where a word is padding.
    W_Q (D, d), W_K (C, d), W_V (C, d): multiply from the right, x @ W. Returns (B, P, d).
    """
    q, k, v = places @ W_Q, words @ W_K, words @ W_V  # (B, P, d), (B, L, d), (B, L, d)
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])  # (B, P, L)
    return scores.masked_fill(~real[:, None], -math.inf).softmax(-1) @ v


def drop_whole_prompts(ids: torch.Tensor, lots: torch.Tensor, share: float, end: int) -> torch.Tensor:
    """Prepare a batch for guidance: a share of its prompts becomes the prompt without words, end tokens only.

    ids (B, T): token ids. lots (B,): one number a prompt, already drawn evenly from [0, 1); those below
    `share` are dropped. Returns (B, T).
    """
    return ids.masked_fill((lots < share)[:, None], end)


def guide_by_paper(said: torch.Tensor, w: float) -> torch.Tensor:
    """Guidance with Ho & Salimans' w, as their paper counts: at w = 0 nothing is changed.

    said (2B, …): the network's answers for a doubled batch, the first B without a prompt, the last B with
    theirs. Returns (B, …): (1 + w) times the answer with the prompt, minus w times the one without.
    """
    without, with_prompt = said.chunk(2)
    return (1 + w) * with_prompt - w * without


def joint_and_product(right: torch.Tensor) -> tuple[float, float]:
    """How often a drawn picture is right in all its parts, and how often it would be if parts failed alone.

    right (n, k) bool: for each of n pictures, whether each of k parts of its prompt (a noun, a colour, the
    relation …) is there. Returns (joint accuracy, product of the k single accuracies).
    """
    joint = right.all(1).float().mean()
    product = right.float().mean(0).prod()
    return float(joint), float(product)
