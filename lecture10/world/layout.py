"""Where things go when a hand-written scene does not say:
a tidy, deterministic layout that obeys the relations.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from lecture10.world import cast, geometry
from lecture10.world import vocabulary as v
from lecture10.world.scene import Scene, Thing

EDGE = 0.015  # free margin around a laid-out scene
SLACK = 0.005  # how far a thing placed by hand may stick out before it is an error
SPREAD = 0.92  # of its bearer's width: how far apart the outermost of a row of things on it may stand
STEPS = 17  # candidate places along each axis
_HOMES = {
    1: ((0.5, 0.56),),
    2: ((0.27, 0.58), (0.73, 0.58)),
    3: ((0.24, 0.68), (0.5, 0.3), (0.76, 0.68)),
    4: ((0.26, 0.44), (0.74, 0.44), (0.26, 0.78), (0.74, 0.78)),
    5: ((0.2, 0.44), (0.5, 0.44), (0.8, 0.44), (0.3, 0.78), (0.7, 0.78)),
    6: ((0.2, 0.44), (0.5, 0.44), (0.8, 0.44), (0.2, 0.78), (0.5, 0.78), (0.8, 0.78)),
}
_ROW = ((0.19, 0.66), (0.5, 0.7), (0.81, 0.66))  # three things that fit beside each other stand on the ground


def check(scene: Scene) -> None:
    """Raise ValueError where things lie outside the canvas, or where the relations cannot hold together."""
    for t in scene.things:
        if t.x is not None:
            _check_inside(t)
    _check_bearers(scene)
    if all(t.x is not None for t in scene.things):
        _check_relations(scene)
    else:
        layout(scene)


def _extent(t: Thing) -> tuple[float, float]:
    return geometry.turned(*cast.footprint(t.noun, t.size), t.rotation)


def _check_inside(t: Thing) -> None:
    for axis, centre, length in zip("xy", (t.x, t.y), _extent(t), strict=True):
        low, high = length / 2, 1 - length / 2
        if not low - SLACK <= centre <= high + SLACK:
            cure = f"give {axis} from {low:.2f} to {high:.2f}" if low <= high else "turn it, or make it small"
            raise ValueError(f"the {t} at {axis}={centre:g} would stick out of the picture: {cure}")


def _check_bearers(scene: Scene) -> None:
    bearer = {}
    for i, relation, j in scene.relations:
        if relation in v.CONTACTS:
            if i in bearer:
                raise ValueError(
                    f"the {scene.things[i]} cannot be on or riding two things: drop one of the relations"
                )
            bearer[i] = j
    for start in bearer:
        k = start
        while k in bearer:
            k = bearer[k]
            if k == start:
                raise ValueError(f"{_tell(scene)} contradict each other (each bears the other): drop one")


def _tell(scene: Scene) -> str:
    names = [f"{t.colour} {t.noun}" for t in scene.things]
    return " and ".join(f"'{names[i]} {r} {names[j]}'" for i, r, j in scene.relations)


def _check_relations(scene: Scene) -> None:
    """Given places must agree with the relations stated."""
    rests = _rests(scene)
    for i, relation, j in scene.relations:
        a, b = scene.things[i], scene.things[j]
        if relation in v.CONTACTS:
            dx, dy, reach = rests[i]
            fits = abs(a.x - b.x - dx) <= reach and abs(a.y - b.y - dy) <= geometry.NEAR
            cure = f"put it at x={b.x + dx:.2f}, y={b.y + dy:.2f}"
        else:
            fits = geometry.holds(relation, a.x - b.x, a.y - b.y)
            cure = f"centres must be {geometry.APART:g} apart that way, and more so than across"
        if not fits:
            raise ValueError(
                f"the {a} at ({a.x:g}, {a.y:g}) is not {relation} the {b} at ({b.x:g}, {b.y:g}): "
                f"{cure}, or leave out the places"
            )


def _rests(scene: Scene) -> dict[int, tuple[float, float, float]]:
    """thing -> (dx, dy) from its bearer's centre to where it rests, and how far off along x it may be.

    Several things on one bearer stand side by side around its seat, in order; they may change places.
    """
    sharing: dict[int, list[int]] = {}
    for i, relation, j in scene.relations:
        if relation in v.CONTACTS:
            sharing.setdefault(j, []).append(i)
    found = {}
    for i, relation, j in scene.relations:
        if relation in v.CONTACTS:
            dx, dy = _rest(scene.things[i], scene.things[j], relation)
            shift = _side_by_side(scene, sorted(sharing[j]), j)
            reach = geometry.NEAR + (2 * max(map(abs, shift.values())) if len(shift) > 1 else 0)
            found[i] = (dx + shift[i], dy, reach)
    return found


def _side_by_side(scene: Scene, row: list[int], j: int) -> dict[int, float]:
    """How far each of the things on thing j stands from the middle of their row; closer together
    (overlapping) where the outermost would stand beside the bearer.
    """
    widths = np.array([_extent(scene.things[i])[0] + SLACK for i in row])
    middles = widths.cumsum() - widths / 2 - widths.sum() / 2
    room, wide = SPREAD * _extent(scene.things[j])[0], np.ptp(middles)
    return dict(zip(row, (middles * min(1.0, room / wide if wide else 1.0)).tolist(), strict=True))


def _rest(a: Thing, b: Thing, relation: str) -> tuple[float, float]:
    height, side = cast.footprint(a.noun, a.size)[1], cast.side(b.noun, b.size)
    own, bearers = geometry.sink(relation, b.noun)
    return geometry.rest(height, side, cast.figure(b.noun).seat, b.flip, min(own * height, bearers * side))


@lru_cache(maxsize=4096)
def layout(scene: Scene) -> Scene:
    """The scene with a place for every thing; given places are kept. Raises ValueError where none can be
    found.

    Things that bear each other move as one pile. Piles are placed one after the other on a lattice so that
    all stated directions hold, overlapping as little as can be and close to a tidy default; then each is
    tuned again.
    """
    if all(t.x is not None for t in scene.things):
        return scene
    piles = _piles(scene)
    choices = [_candidates(scene, pile) for pile in piles]
    homes = _homes(scene, piles)
    states = np.zeros((1, 0, 2))
    for k in range(len(piles)):
        cost = _cost(scene, piles, states, k, choices[k], homes[k])  # (states, choices)
        best = np.argsort(cost, axis=None, kind="stable")[:300]
        best = best[np.isfinite(cost.ravel()[best])]
        if not len(best):
            raise ValueError(f"{_why(scene)}: drop or turn one of the relations, or make things small")
        rows, columns = np.divmod(best, cost.shape[1])
        states = np.concatenate([states[rows], choices[k][columns][:, None]], 1)
    return _settle(scene, piles, choices, homes, states[0])


def _homes(scene: Scene, piles: list[dict]) -> tuple:
    """The tidy default for each pile."""
    in_row = len(piles) == 3 and sum(max(_extent(scene.things[i])[0] for i in pile) for pile in piles) < 0.96
    return _ROW if in_row else _HOMES[len(piles)]


def _why(scene: Scene) -> str:
    if not scene.relations:
        return "no room is left for all things"
    return f"{_tell(scene)} contradict each other, or leave no room"


def _settle(scene, piles, choices, homes, state) -> Scene:
    """Tune each pile in turn, then write the places down (four digits)."""
    for _ in range(3):
        for k in range(len(piles)):
            others = [piles[m] for m in range(len(piles)) if m != k] + [piles[k]]
            rest = np.delete(state, k, axis=0)[None]
            state[k] = choices[k][
                _cost(scene, others, rest, len(piles) - 1, choices[k], homes[k])[0].argmin()
            ]
    things = list(scene.things)
    for pile, (x, y) in zip(piles, state, strict=True):
        for i, (dx, dy) in pile.items():
            if things[i].x is None:
                things[i] = replace(things[i], x=round(float(x + dx), 4), y=round(float(y + dy), 4))
    return replace(scene, things=tuple(things))


def _piles(scene: Scene) -> list[dict[int, tuple[float, float]]]:
    """Things that bear each other, by what stands below: thing -> its offset from there."""
    bearer, rests = {i: j for i, r, j in scene.relations if r in v.CONTACTS}, _rests(scene)
    piles = {i: {i: (0.0, 0.0)} for i in range(len(scene.things)) if i not in bearer}
    for i in bearer:
        x, y, k = 0.0, 0.0, i
        while k in bearer:
            dx, dy, _ = rests[k]
            x, y, k = x + dx, y + dy, bearer[k]
        piles[k][i] = (x, y)
    return list(piles.values())


def _candidates(scene: Scene, pile: dict) -> np.ndarray:
    """(n, 2) places for a pile's lowest thing at which the whole pile is inside the canvas."""
    fixed = [
        (scene.things[i].x - dx, scene.things[i].y - dy) for i, (dx, dy) in pile.items() if scene.things[i].x
    ]
    if fixed:
        if np.ptp(np.array(fixed), axis=0).max() > 2 * geometry.NEAR:
            raise ValueError(f"the places given do not agree with {_tell(scene)}: leave the places out")
        return np.array(fixed[:1])
    low, high = np.full(2, EDGE), np.full(2, 1 - EDGE)
    for i, offset in pile.items():
        half = np.array(_extent(scene.things[i])) / 2
        low, high = np.maximum(low, EDGE + half - offset), np.minimum(high, 1 - EDGE - half - offset)
    if (low > high).any():
        names = " and ".join(str(scene.things[i]) for i in pile)
        raise ValueError(f"the pile of {names} is larger than the picture: make something in it small")
    axes = [np.linspace(low[d], high[d], STEPS) for d in (0, 1)]
    return np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)


def _cost(scene, piles, states, k, places, home) -> np.ndarray:
    """(states, places) what it costs to put pile k there, given where the earlier piles stand;
    inf where impossible.
    """
    cost = 0.15 * ((places - np.array(home)) ** 2).sum(-1)[None].repeat(len(states), 0)
    for m in range(k + 1):
        for i, oi in piles[k].items():
            for j, oj in piles[m].items():
                if m == k and (i == j or not any({i, j} == {a, b} for a, _, b in scene.relations)):
                    continue
                here = places[None] + np.array(oi)
                there = (places[None] if m == k else states[:, None, m]) + np.array(oj)
                cost = cost + _forbidden(scene, i, j, here - there)
                if m < k:
                    cost = cost + _overlap(scene.things[i], scene.things[j], here - there)
    return cost


def _forbidden(scene: Scene, i: int, j: int, gap: np.ndarray) -> np.ndarray:
    """inf where a stated direction between i and j does not hold; gap: (..., 2) from j to i."""
    cost = np.zeros(gap.shape[:-1])
    for a, relation, b in scene.relations:
        if relation in v.DIRECTIONS and {a, b} == {i, j}:
            dx, dy = (gap if (a, b) == (i, j) else -gap).transpose(-1, *range(gap.ndim - 1))
            along, across = {
                "left of": (-dx, dy),
                "right of": (dx, dy),
                "above": (-dy, dx),
                "below": (dy, dx),
            }[relation]
            cost += np.where(
                (along >= geometry.APART + 1e-3) & (along >= abs(across)), 0.3 * abs(across), np.inf
            )
    return cost


def _overlap(a: Thing, b: Thing, gap: np.ndarray) -> np.ndarray:
    """How much of the smaller box is shared (×10), and a little for standing closer than need be."""
    (wa, ha), (wb, hb) = _extent(a), _extent(b)
    shared_x = np.clip(np.minimum((wa + wb) / 2 - abs(gap[..., 0]), min(wa, wb)), 0, None)
    shared_y = np.clip(np.minimum((ha + hb) / 2 - abs(gap[..., 1]), min(ha, hb)), 0, None)
    return 10 * shared_x * shared_y / min(wa * ha, wb * hb)
