"""Where sampled things stand: many guesses at once, the best kept,
arrangements that are not allowed refused.
"""

import torch
from torch import Tensor

from lecture10.world import geometry, splits
from lecture10.world import vocabulary as v

GUESSES = 16  # places tried for each thing
EDGE = 0.012  # free margin of the picture
GAP = 0.015  # free space between boxes


def arrange(scenes: dict[str, Tensor], rng, overlap: float, strict: bool, patience: int) -> Tensor:
    """Give every thing a place, in place. Returns (B,) bool: whether the arrangement is good.

    scenes: SceneBatch's tensors, and contact (B,), index into CONTACTS or -1. overlap: the share of the
    smaller box that two may share. strict: refuse what shows a relation that is kept back, by accident
    too. After some patience a little too much overlap is forgiven; a stated relation that fails, or one
    kept back, never is.
    """
    noun, exists = scenes["noun"].clamp(min=0), scenes["noun"] >= 0
    half = _half(scenes)  # (B, 6, 2)
    place = torch.zeros_like(half)
    low, high = half + EDGE, 1 - half - EDGE
    pile = scenes["contact"] >= 0
    lift = _lift(scenes)  # (B, 2)
    both_low = torch.maximum(low[:, 0], low[:, 1] - lift)
    both_high = torch.minimum(high[:, 0], high[:, 1] - lift)
    low[:, 0] = torch.where(pile[:, None], both_low, low[:, 0])
    high[:, 0] = torch.where(pile[:, None], both_high, high[:, 0])
    worst = torch.zeros(len(noun))
    for k in range(int(exists.sum(1).max())):
        guess = _guess(low[:, k], high[:, k], rng)  # (B, G, 2)
        cost, shared = _cost(k, guess, place, half, exists, scenes, pile, overlap)
        best = cost.argmin(1)
        rows = torch.arange(len(noun))
        place[:, k] = guess[rows, best]
        shared = shared[rows, best]
        if k == 1:
            place[:, 1] = torch.where(pile[:, None], place[:, 0] + lift, place[:, 1])
            shared = torch.where(pile, 0.0, shared)
        worst = torch.maximum(worst, torch.where(exists[:, k], shared, 0.0))
    place = torch.round(place * 1e4) / 1e4
    place = place.masked_fill(~exists[..., None], 0.0)
    scenes["x"], scenes["y"] = place.unbind(-1)
    good = (worst <= overlap + (0.03 if patience < 4 else 0.15 if patience < 12 else 1.0)) & _stated(
        scenes, place
    )
    return good & _allowed(noun, exists, place, scenes) if strict else good


def _half(scenes: dict[str, Tensor]) -> Tensor:
    """(B, 6, 2) half the width and height of each thing's box, lean included."""
    m = geometry.measures()
    noun, size = scenes["noun"].clamp(min=0), scenes["size"].clamp(min=0)
    turn = torch.deg2rad(scenes["rotation"])
    c, s = turn.cos().abs(), turn.sin().abs()
    width, height = m["width"][noun, size], m["height"][noun, size]
    return torch.stack([width * c + height * s, width * s + height * c], -1) / 2


def _lift(scenes: dict[str, Tensor]) -> Tensor:
    """(B, 2) from thing 0's centre to thing 1's, where thing 1 is on or riding it."""
    m = geometry.measures()
    bearer, rider = scenes["noun"][:, 0].clamp(min=0), scenes["noun"][:, 1].clamp(min=0)
    size, flip = scenes["size"].clamp(min=0), scenes["flip"][:, 0].float()
    height, side = m["height"][rider, size[:, 1]], m["side"][bearer, size[:, 0]]
    own, bearers = m["sink"][bearer, scenes["contact"].clamp(min=0)].unbind(-1)
    sunk = torch.minimum(own * height, bearers * side)
    return torch.stack(geometry.rest(height, side, m["seat"][bearer].unbind(-1), flip, sunk), -1)


def _guess(low: Tensor, high: Tensor, rng) -> Tensor:
    """(B, G, 2) places between low and high (B, 2); the middle where there is no room."""
    middle = (low + high) / 2
    low, high = torch.minimum(low, middle), torch.maximum(high, middle)
    return low[:, None] + torch.rand(len(low), GUESSES, 2, generator=rng) * (high - low)[:, None]


def _cost(k, guess, place, half, exists, scenes, pile, overlap) -> tuple[Tensor, Tensor]:
    """(B, G) how bad it is to put thing k at each guess,
    and the largest share of a box that it then shares.
    """
    shared = torch.zeros(guess.shape[:2])
    for m in range(k):
        room = half[:, k, None] + half[:, m, None] + (GAP if overlap == 0 else 0.0)
        inside = (room - (guess - place[:, m, None]).abs()).clamp(min=0)
        inside = torch.minimum(inside, 2 * torch.minimum(half[:, k], half[:, m])[:, None])
        area = 4 * torch.minimum(half[:, k].prod(-1), half[:, m].prod(-1))
        shared = torch.maximum(shared, inside.prod(-1) / area[:, None] * exists[:, m, None])
    cost = shared if overlap == 0 else (shared - overlap).abs()
    if k == 0:  # leave room on the side where thing 1 has to stand
        cost = 0.3 * _crowding(guess, scenes)
    if k == 1:
        cost = cost + 10 * ~_holds(scenes, guess[:, :, 0] - place[:, :1, 0], guess[:, :, 1] - place[:, :1, 1])
    return cost, shared


def _side(scenes: dict[str, Tensor]) -> Tensor:
    """(B,) where thing 1 stands from thing 0, as an index into DIRECTIONS;
    -1 where no direction is stated.
    """
    i, relation, _ = scenes["relation"][:, 0].unbind(-1)
    opposite = torch.tensor([1, 0, 3, 2])[relation.clamp(0, 3)]
    turned = torch.where(i == 1, relation, opposite)
    return torch.where((relation >= 0) & (relation < len(v.DIRECTIONS)), turned, -1)


def _crowding(guess: Tensor, scenes: dict[str, Tensor]) -> Tensor:
    """(B, G) how far thing 0 stands towards the side on which thing 1 must find room."""
    side = _side(scenes)[:, None]
    x, y = guess.unbind(-1)
    towards = torch.stack([1 - x, x, 1 - y, y], -1).gather(
        -1, side.clamp(min=0)[..., None].expand(*x.shape, 1)
    )[..., 0]
    return torch.where(side >= 0, (towards - 0.3).clamp(min=0), 0.0)


def _holds(scenes: dict[str, Tensor], dx: Tensor, dy: Tensor) -> Tensor:
    """(B, G) whether the stated direction holds for thing 1 at (dx, dy) from thing 0;
    true where none is stated.
    """
    side = _side(scenes)[:, None]
    return (side < 0) | (geometry.direction(dx, dy) == side)


def _stated(scenes: dict[str, Tensor], place: Tensor) -> Tensor:
    """(B,) whether the stated direction holds in the end."""
    gap = place[:, 1] - place[:, 0]
    return _holds(scenes, gap[:, :1], gap[:, 1:])[:, 0]


def _allowed(noun: Tensor, exists: Tensor, place: Tensor, scenes: dict[str, Tensor]) -> Tensor:
    """(B,) whether no two things show a relation that is kept back from training."""
    most = int(exists.sum(1).max())
    noun, exists, place = noun[:, :most], exists[:, :most], place[:, :most]
    if most < 2:
        return torch.ones(len(noun), dtype=torch.bool)
    table = splits.relation_table()
    gap = place[:, :, None] - place[:, None]  # (B, i, j, 2) from j to i
    two = exists[:, :, None] & exists[:, None] & ~torch.eye(most, dtype=torch.bool)
    i, j = noun[:, :, None].expand_as(two), noun[:, None].expand_as(two)
    facing = geometry.direction(gap[..., 0], gap[..., 1])
    kept_back = (facing >= 0) & (table[i, facing.clamp(min=0), j] > 0)
    on = v.RELATIONS.index("on")
    kept_back |= (table[i, on, j] > 0) & _seems_on(i, j, gap, scenes)
    pile = scenes["contact"] >= 0
    kept_back[:, 0, 1] &= ~pile  # what is on a thing is above it too: the stated relation decides
    kept_back[:, 1, 0] &= ~pile
    return ~(kept_back & two).any((1, 2))


def _seems_on(i: Tensor, j: Tensor, gap: Tensor, scenes: dict[str, Tensor]) -> Tensor:
    """(B, i, j) whether thing i happens to stand where it would if it were on thing j."""
    most = i.shape[1]
    m, size = geometry.measures(), scenes["size"][:, :most].clamp(min=0)
    seat, side = m["seat"][j], m["side"][j, size[:, None].expand_as(j)]
    height = m["height"][i, size[:, :, None].expand_as(i)]
    flip = scenes["flip"][:, None, :most].expand_as(i).float()
    dx, dy = geometry.rest(height, side, seat.unbind(-1), flip, geometry.SINK["on"] * height)
    return ((gap[..., 0] - dx).abs() < 0.1) & ((gap[..., 1] - dy).abs() < 2 * geometry.NEAR)
