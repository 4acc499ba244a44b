"""Where sampled things stand: many guesses at once, the best kept,
arrangements that are not allowed refused.

Scenes come last in every tensor here, so that arithmetic runs over long rows.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lecture10.world import geometry, splits
from lecture10.world import vocabulary as v

GUESSES = 16  # places tried for each thing
EDGE = 0.012  # free margin of the picture
GAP = 0.015  # free space between boxes


@dataclass(frozen=True, eq=False)
class Demands:
    """What the contents of B scenes ask of the places, whatever the guesses; see `demands`.

    exists: (6, B) bool; half: (2, 6, B) half the width and height of each thing's box, lean included; low,
    high: (2, 6, B) where its centre may be; pile: (B,) bool, thing 1 is on or riding thing 0; lift: (2, B)
    then from thing 0's centre to thing 1's; side: (B,) where thing 1 stands from thing 0, an index into
    DIRECTIONS or -1. kept_back: (4, 6, 6, B) bool, that thing i stands in a direction from thing j is kept
    back from training; kept_on: (6, 6, B) bool, the same for "on"; seat: (2, 6, 6, B) from thing j's centre
    to thing i's if it were on it.
    """

    exists: Tensor
    half: Tensor
    low: Tensor
    high: Tensor
    pile: Tensor
    lift: Tensor
    side: Tensor
    kept_back: Tensor
    kept_on: Tensor
    seat: Tensor

    def rows(self, index: Tensor) -> "Demands":
        """The demands of these scenes; an index may come several times."""
        return Demands(*(getattr(self, f.name).index_select(-1, index) for f in fields(self)))


def demands(scenes: dict[str, Tensor]) -> Demands:
    """Read off the contents: SceneBatch's tensors, and contact (B,), index into CONTACTS or -1."""
    exists = (scenes["noun"] >= 0).T
    half, lift, pile = _half(scenes), _lift(scenes), scenes["contact"] >= 0
    low, high = half + EDGE, 1 - half - EDGE
    low[:, 0] = torch.where(pile, torch.maximum(low[:, 0], low[:, 1] - lift), low[:, 0])
    high[:, 0] = torch.where(pile, torch.minimum(high[:, 0], high[:, 1] - lift), high[:, 0])
    middle = (low + high) / 2  # where there is no room
    low, high = torch.minimum(low, middle), torch.maximum(high, middle)
    kept_back, kept_on, seat = _kept_back(scenes)
    return Demands(exists, half, low, high, pile, lift, _side(scenes), kept_back, kept_on, seat)


def arrange(asked: Demands, rng, overlap: float, strict: bool, patience: int) -> tuple[Tensor, Tensor]:
    """A place for every thing: (2, 6, B) x and y, and (B,) bool, whether the arrangement is good.

    overlap: the share of the smaller box that two may share. strict: refuse what shows a relation that is
    kept back, by accident too. After some patience a little too much overlap is forgiven; a stated relation
    that fails, or one kept back, never is.
    """
    place = torch.zeros_like(asked.half)
    most, n = int(asked.exists.sum(0).max()), len(asked.pile)
    worst = torch.zeros(n)
    for k in range(most):
        guess = torch.rand(n, GUESSES, 2, generator=rng).permute(2, 1, 0).contiguous()  # (2, G, B)
        guess = asked.low[:, k, None] + guess * (asked.high[:, k] - asked.low[:, k])[:, None]
        cost, shared = _cost(k, guess, place, asked, overlap)
        best = cost.argmin(0, keepdim=True)  # (1, B)
        place[:, k] = guess.gather(1, best.expand(2, 1, n))[:, 0]
        shared = shared.gather(0, best)[0]
        if k == 1:
            place[:, 1] = torch.where(asked.pile, place[:, 0] + asked.lift, place[:, 1])
            shared = torch.where(asked.pile, 0.0, shared)
        worst = torch.maximum(worst, torch.where(asked.exists[k], shared, 0.0))
    place = (torch.round(place * 1e4) / 1e4).masked_fill(~asked.exists, 0.0)
    good = worst <= overlap + (0.03 if patience < 4 else 0.15 if patience < 12 else 1.0)
    good &= _holds(asked, place[:, 1] - place[:, 0])
    if strict and most > 1:
        good &= _allowed(asked, place, most)
    return place, good


def _half(scenes: dict[str, Tensor]) -> Tensor:
    """(2, 6, B) half the width and height of each thing's box, lean included."""
    m = geometry.measures()
    noun, size = scenes["noun"].clamp(min=0).T, scenes["size"].clamp(min=0).T
    turn = torch.deg2rad(scenes["rotation"]).T
    c, s = turn.cos().abs(), turn.sin().abs()
    width, height = m["width"][noun, size], m["height"][noun, size]
    return torch.stack([width * c + height * s, width * s + height * c]) / 2


def _lift(scenes: dict[str, Tensor]) -> Tensor:
    """(2, B) from thing 0's centre to thing 1's, where thing 1 is on or riding it."""
    m = geometry.measures()
    bearer, rider = scenes["noun"][:, 0].clamp(min=0), scenes["noun"][:, 1].clamp(min=0)
    size, flip = scenes["size"].clamp(min=0), scenes["flip"][:, 0].float()
    height, side = m["height"][rider, size[:, 1]], m["side"][bearer, size[:, 0]]
    own, bearers = m["sink"][bearer, scenes["contact"].clamp(min=0)].unbind(-1)
    sunk = torch.minimum(own * height, bearers * side)
    return torch.stack(geometry.rest(height, side, m["seat"][bearer].unbind(-1), flip, sunk))


def _side(scenes: dict[str, Tensor]) -> Tensor:
    """(B,) where thing 1 stands from thing 0, as an index into DIRECTIONS;
    -1 where no direction is stated.
    """
    i, relation, _ = scenes["relation"][:, 0].unbind(-1)
    opposite = torch.tensor([1, 0, 3, 2])[relation.clamp(0, 3)]
    turned = torch.where(i == 1, relation, opposite)
    return torch.where((relation >= 0) & (relation < len(v.DIRECTIONS)), turned, -1)


def _kept_back(scenes: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """What may not be seen between things i and j: `Demands`' kept_back, kept_on and seat."""
    noun, exists = scenes["noun"].clamp(min=0).T, (scenes["noun"] >= 0).T
    two = exists[:, None] & exists & ~torch.eye(v.MAX_THINGS, dtype=torch.bool)[..., None]  # (6, 6, B)
    pile = scenes["contact"] >= 0
    two[0, 1] &= ~pile  # what is on a thing is above it too: the stated relation decides
    two[1, 0] &= ~pile
    i, j = noun[:, None].expand_as(two), noun.expand_as(two)
    table = (splits.relation_table() > 0).movedim(1, 0)  # (relations, nouns, nouns)
    kept = table[: len(v.DIRECTIONS), i, j] & two
    on = table[v.RELATIONS.index("on"), i, j] & two
    m, size = geometry.measures(), scenes["size"].clamp(min=0).T
    height = m["height"][noun, size][:, None]
    side, flip = m["side"][noun, size], scenes["flip"].T.float()
    seat = geometry.rest(height, side, m["seat"][noun].unbind(-1), flip, geometry.SINK["on"] * height)
    return kept, on, torch.stack([s.expand_as(two) for s in seat])


def _cost(k: int, guess: Tensor, place: Tensor, asked: Demands, overlap: float) -> tuple[Tensor, Tensor]:
    """(G, B) how bad it is to put thing k at each guess (2, G, B),
    and the largest share of a box that it then shares.
    """
    half, shared = asked.half, torch.zeros(guess.shape[1:])
    for m in range(k):
        room = half[:, k] + half[:, m] + (GAP if overlap == 0 else 0.0)
        inside = (room[:, None] - (guess - place[:, m, None]).abs()).clamp(min=0)
        x, y = torch.minimum(inside, 2 * torch.minimum(half[:, k], half[:, m])[:, None])
        area = 4 * torch.minimum(half[0, k] * half[1, k], half[0, m] * half[1, m])
        shared = torch.maximum(shared, x * y / area * asked.exists[m])
    if k == 0:  # leave room on the side where thing 1 has to stand
        return 0.3 * _crowding(guess, asked.side), shared
    cost = shared if overlap == 0 else (shared - overlap).abs()
    if k == 1:
        cost = cost + 10 * ~_holds(asked, guess - place[:, :1])
    return cost, shared


def _crowding(guess: Tensor, side: Tensor) -> Tensor:
    """(G, B) how far thing 0 stands towards the side on which thing 1 must find room."""
    x, y = guess
    towards = torch.stack([1 - x, x, 1 - y, y]).gather(0, side.clamp(min=0).expand(1, *x.shape))[0]
    return torch.where(side >= 0, (towards - 0.3).clamp(min=0), 0.0)


def _holds(asked: Demands, gap: Tensor) -> Tensor:
    """(…, B) whether the stated direction holds for thing 1 at gap (2, …, B) from thing 0;
    true where none is stated.
    """
    return (asked.side < 0) | (geometry.direction(*gap) == asked.side)


def _allowed(asked: Demands, place: Tensor, most: int) -> Tensor:
    """(B,) whether no two of the first `most` things show a relation that is kept back from training."""
    place = place[:, :most]
    gap = place[:, :, None] - place[:, None]  # (2, i, j, B) from j to i
    facing = geometry.direction(*gap)[None]
    shown = asked.kept_back[:, :most, :most].gather(0, facing.clamp(min=0)) & (facing >= 0)
    dx, dy = (gap - asked.seat[:, :most, :most]).abs()
    shown |= asked.kept_on[:most, :most] & (dx < 0.1) & (dy < 2 * geometry.NEAR)  # seems to be on it
    return ~shown.any(0).flatten(0, 1).any(0)
