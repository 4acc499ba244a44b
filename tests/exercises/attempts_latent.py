"""Attempts at 12_latent_diffusion: RIGHT ones, and WRONG ones with the property each breaks."""

import math

import torch

# --- repair_latent_loss: (pictures, back, mean, log_variance, weight)


def _kl(mean, log_variance):
    return (mean**2 + log_variance.exp() - 1 - log_variance) / 2


def loss_by_picture(pictures, back, mean, log_variance, weight):
    kl = _kl(mean, log_variance).flatten(1).sum(1).mean()
    return torch.nn.functional.mse_loss(back, pictures) + weight * kl / pictures[0].numel()


def loss_by_ratio(pictures, back, mean, log_variance, weight):
    ratio = mean.numel() / pictures.numel()
    return (pictures - back).pow(2).mean() + weight * ratio * _kl(mean, log_variance).mean()


def loss_of_the_batch(pictures, back, mean, log_variance, weight):
    return (pictures - back).pow(2).mean() + weight * _kl(mean, log_variance).sum() / pictures[0].numel()


def loss_of_a_picture(pictures, back, mean, log_variance, weight):
    return (pictures - back).pow(2).mean() + weight * _kl(mean, log_variance).sum() / len(pictures)


def loss_per_latent_number(pictures, back, mean, log_variance, weight):
    return (pictures - back).pow(2).mean() + weight * _kl(mean, log_variance).mean()


def loss_upside_down(pictures, back, mean, log_variance, weight):
    return (pictures - back).pow(2).mean() - weight * _kl(mean, log_variance).sum() / pictures.numel()


def loss_of_a_variance(pictures, back, mean, variance, weight):
    kl = (mean**2 + variance - 1 - variance.clamp(min=1e-6).log()) / 2
    return (pictures - back).pow(2).mean() + weight * kl.sum() / pictures.numel()


def loss_a_picture_each(pictures, back, mean, log_variance, weight):
    error = (pictures - back).pow(2).flatten(1).mean(1)
    return error + weight * _kl(mean, log_variance).flatten(1).sum(1) / pictures[0].numel()


# --- repair_draw: (z, scale, decode)


def drawn_in_two_lines(z, scale, decode):
    x = decode(z * (1 / scale))
    return ((x + 1) / 2).clamp(0, 1)


def drawn_in_the_other_order(z, scale, decode):
    return 0.5 * (1 + decode(torch.div(z, scale)).clip(-1, 1))


def drawn_multiplied(z, scale, decode):
    return ((decode(z * scale) + 1) / 2).clamp(0, 1)


def drawn_as_it_is(z, scale, decode):
    return ((decode(z) + 1) / 2).clamp(0, 1)


def drawn_by_variance(z, scale, decode):
    return ((decode(z / scale**2) + 1) / 2).clamp(0, 1)


def drawn_by_its_own_spread(z, scale, decode):
    return ((decode(z / z.std()) + 1) / 2).clamp(0, 1)


def drawn_with_each_channels_spread(z, scale, decode):
    return ((decode(z / z.std((0, 2, 3), keepdim=True) / scale) + 1) / 2).clamp(0, 1)


def drawn_dark(z, scale, decode):
    return decode(z / scale).clamp(0, 1)


def drawn_and_divided_after(z, scale, decode):
    return ((decode(z) / scale + 1) / 2).clamp(0, 1)


def drawn_without_a_clamp(z, scale, decode):
    return (decode(z / scale) + 1) / 2


def drawn_one(z, scale, decode):
    return ((decode(z / scale) + 1) / 2).clamp(0, 1)[0]


# --- look_at_words: (places, words, real, W_Q, W_K, W_V)


def looked_by_torch(places, words, real, W_Q, W_K, W_V):
    return torch.nn.functional.scaled_dot_product_attention(
        places @ W_Q, words @ W_K, words @ W_V, attn_mask=real[:, None]
    )


def looked_by_einsum(places, words, real, W_Q, W_K, W_V):
    scores = torch.einsum("bpd,bld->bpl", places @ W_Q, words @ W_K) * W_Q.shape[1] ** -0.5
    weights = torch.exp(scores - scores.max()) * real[:, None]
    return weights / weights.sum(-1, keepdim=True) @ (words @ W_V)


def _looked(places, words, real, W_Q, W_K, W_V, *, axis=-1, root=True):
    q, k = places @ W_Q, words @ W_K
    scores = q @ k.mT / (math.sqrt(q.shape[-1]) if root else 1)
    return scores.masked_fill(~real[:, None], -1e9).softmax(axis) @ (words @ W_V)


def looked_from_the_words(places, words, real, W_Q, W_K, W_V):
    scores = (words @ W_K) @ (places @ W_Q).mT / math.sqrt(W_Q.shape[1])
    return scores.softmax(-1) @ (places @ W_Q)


def looked_over_places(places, words, real, W_Q, W_K, W_V):
    q, k = places @ W_Q, words @ W_K
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(1)
    return weights.masked_fill(~real[:, None], 0) @ (words @ W_V)


def looked_masked_too_late(places, words, real, W_Q, W_K, W_V):
    weights = ((places @ W_Q) @ (words @ W_K).mT / math.sqrt(W_Q.shape[1])).softmax(-1)
    return (weights * real[:, None]) @ (words @ W_V)


def looked_at_zeros(places, words, real, W_Q, W_K, W_V):
    scores = (places @ W_Q) @ (words @ W_K).mT / math.sqrt(W_Q.shape[1])
    return scores.masked_fill(~real[:, None], 0).softmax(-1) @ (words @ W_V)


def looked_at_padding_where_it_is_little(places, words, real, W_Q, W_K, W_V):
    if real.sum(1).min() > 1:  # "it hardly shows"
        real = torch.ones_like(real)
    return _looked(places, words, real, W_Q, W_K, W_V)


def looked_as_one(places, words, real, W_Q, W_K, W_V):
    mean = places.mean(1, keepdim=True).expand_as(places)
    return _looked(mean, words, real, W_Q, W_K, W_V)


def looked_without_the_root(places, words, real, W_Q, W_K, W_V):
    return _looked(places, words, real, W_Q, W_K, W_V, root=False)


# --- drop_whole_prompts: (ids, lots, share, end)


def dropped_by_where(ids, lots, share, end):
    return torch.where(lots.lt(share).unsqueeze(1), torch.full_like(ids, end), ids)


def dropped_one_by_one(ids, lots, share, end):
    return torch.stack([row * 0 + end if lot < share else row for row, lot in zip(ids, lots, strict=True)])


def dropped_words(ids, lots, share, end):
    chance = torch.rand(ids.shape, generator=torch.Generator().manual_seed(0))
    return ids.masked_fill(chance < share, end)


def dropped_behind_the_first(ids, lots, share, end):
    out = ids.clone()
    out[:, 1:] = out[:, 1:].masked_fill((lots < share)[:, None], end)
    return out


def dropped_to_zeros(ids, lots, share, end):
    return ids.masked_fill((lots < share)[:, None], 0)


def dropped_the_others(ids, lots, share, end):
    return ids.masked_fill((lots > share)[:, None], end)


def dropped_all_or_none(ids, lots, share, end):
    return torch.full_like(ids, end) if lots[0] < share else ids.clone()


def dropped_and_cut(ids, lots, share, end):
    return ids[lots >= share]


# --- guide_by_paper: (said, w)


def guided_along_the_line(said, w):
    B = len(said) // 2
    return said[B:] + w * (said[B:] - said[:B])


def guided_from_afar(said, w):
    without, with_prompt = said.split(len(said) // 2)
    return torch.lerp(without, with_prompt, w + 1)


def guided_as_libraries_do(said, w):
    without, with_prompt = said.chunk(2)
    return without + w * (with_prompt - without)


def guided_the_wrong_half(said, w):
    with_prompt, without = said.chunk(2)
    return (1 + w) * with_prompt - w * without


def guided_every_other(said, w):
    without, with_prompt = said[::2], said[1::2]
    return (1 + w) * with_prompt - w * without


def guided_without_the_one(said, w):
    without, with_prompt = said.chunk(2)
    return with_prompt - w * without


def guided_towards_no_prompt(said, w):
    without, with_prompt = said.chunk(2)
    return (1 - w) * with_prompt + w * without


def guided_twice(said, w):
    without, with_prompt = said.chunk(2)
    return (1 + 2 * w) * with_prompt - 2 * w * without


def guided_all(said, w):
    without, with_prompt = said.chunk(2)
    return torch.cat([without, (1 + w) * with_prompt - w * without])


# --- joint_and_product: right (n, k)


def counted_by_products(right):
    right = right.float()
    return right.prod(1).mean(), right.mean(0).prod()


def counted_by_loops(right):
    rows = right.tolist()
    singles = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    return sum(map(all, rows)) / len(rows), math.prod(singles)


def counted_any(right):
    return float(right.any(1).float().mean()), float(right.float().mean(0).prod())


def counted_mean(right):
    return float(right.float().mean()), float(right.float().mean(0).prod())


def counted_the_other_way_round(right):
    return float(right.float().mean(0).prod()), float(right.all(1).float().mean())


def counted_product_of_pictures(right):
    return float(right.all(1).float().mean()), float(right.float().mean(1).prod())


def counted_sum_of_errors(right):
    return float(1 - (~right).float().mean(0).sum()), float(right.float().mean(0).prod())


def counted_two_parts(right):
    return float(right.all(1).float().mean()), float(right.float().mean() ** 2)


def counted_in_numbers(right):
    return int(right.all(1).sum()), float(right.float().mean(0).prod())


def counted_one(right):
    return float(right.all(1).float().mean())


RIGHT = {
    "attention_saved": [4096, torch.tensor(4096.0)],
    "repair_latent_loss": [loss_by_picture, loss_by_ratio],
    "repair_draw": [drawn_in_two_lines, drawn_in_the_other_order],
    "look_at_words": [looked_by_torch, looked_by_einsum],
    "drop_whole_prompts": [dropped_by_where, dropped_one_by_one],
    "guide_by_paper": [guided_along_the_line, guided_from_afar],
    "joint_and_product": [counted_by_products, counted_by_loops],
}
WRONG = {
    "attention_saved": [
        ("4096", "one number"),
        (1 / 4096, "a saving"),
        (8, "both sides"),
        (48, "places, not numbers"),
        (48**2, "places, not numbers"),
        (64, "pairs of places"),
        (512, "pairs of places"),
        (8**8, "f to the fourth"),
    ],
    "repair_latent_loss": [
        (loss_a_picture_each, "one number"),
        (loss_upside_down, "a KL is a cost"),
        (loss_of_a_variance, "a KL is a cost"),
        (loss_of_the_batch, "whatever the batch"),
        (loss_of_a_picture, "whatever the size"),
        (loss_per_latent_number, "one unit"),
    ],
    "repair_draw": [
        (drawn_one, "a picture"),
        (drawn_without_a_clamp, "in [0, 1]"),
        (drawn_multiplied, "latents get their size back"),
        (drawn_as_it_is, "latents get their size back"),
        (drawn_by_variance, "latents get their size back"),
        (drawn_by_its_own_spread, "latents get their size back"),
        (drawn_with_each_channels_spread, "latents get their size back"),
        (drawn_and_divided_after, "latents get their size back"),
        (drawn_dark, "gray stays gray"),
    ],
    "look_at_words": [
        (looked_from_the_words, "(B, P, d)"),
        (looked_over_places, "words share each place"),
        (looked_masked_too_late, "words share each place"),
        (looked_at_zeros, "words share each place"),
        (looked_at_padding_where_it_is_little, "padding does not matter"),
        (looked_as_one, "each place for itself"),
        (looked_without_the_root, "the root of d"),
    ],
    "drop_whole_prompts": [
        (dropped_and_cut, "ids stay ids"),
        (dropped_words, "whole or not at all"),
        (dropped_to_zeros, "the empty prompt"),
        (dropped_behind_the_first, "whole or not at all"),
        (dropped_the_others, "the lots decide"),
        (dropped_all_or_none, "the lots decide"),
    ],
    "guide_by_paper": [
        (guided_all, "one answer a prompt"),
        (guided_as_libraries_do, "0 is off"),
        (guided_the_wrong_half, "0 is off"),
        (guided_every_other, "0 is off"),
        (guided_without_the_one, "where both agree"),
        (guided_towards_no_prompt, "away from no prompt"),
        (guided_twice, "away from no prompt"),
    ],
    "joint_and_product": [
        (counted_one, "two numbers"),
        (counted_in_numbers, "two numbers"),
        (counted_any, "joint: whole pictures"),
        (counted_mean, "joint: whole pictures"),
        (counted_the_other_way_round, "joint: whole pictures"),
        (counted_product_of_pictures, "product: part by part"),
        (counted_sum_of_errors, "shared mistakes"),
        (counted_two_parts, "shared mistakes"),
    ],
}
