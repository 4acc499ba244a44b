"""The judge judged: its thresholds, its confusion matrices and how often it is fooled, on fresh scenes."""

import random
from dataclasses import replace

import torch
from torch import Tensor, nn

from lecture10.judge.following import HOLDS, NOT_ASKED, judge_reading
from lecture10.judge.lessons import Lessons, truth
from lecture10.judge.model import HEADS
from lecture10.judge.reading import NAMES, UNCLEAR, Found, Reading, peaks, read
from lecture10.judge.thresholds import Thresholds
from lecture10.world import Picture, render, sample
from lecture10.world import vocabulary as v
from lecture10.world.facts import Facts, facts_of
from lecture10.world.scene import Thing

MISSED = "missed"
WITHIN = 0.1  # a thing found this near to a true one's centre is that one
STEPS = torch.arange(0.1, 0.951, 0.05)
RIGHT = 0.99  # of the words that are called clear, on spoilt pictures too
LEAST = 0.55  # a picture between two words has half of each: neither is clear
MOST = 0.9
Counts = dict[str, int]


@torch.inference_mode()
def calibrate(net: nn.Module, batches: int = 12, seed: int = 9000) -> Thresholds:
    """Thresholds from fresh lessons (sharp, coarse and spoilt pictures in every style, no hybrids).

    centre: counts the most photos right, since photos are what most experiments show; words: the least at
    which 99 % of what is called clear is right, between 0.55 and 0.9.
    """
    lessons, rng = Lessons(sharp=64, coarse=32, hybrid=4), torch.Generator().manual_seed(seed)
    counted, chances = [], {name: [] for name in HEADS}
    for _ in range(batches):
        batch = {name: t[:96] for name, t in lessons(rng).items()}
        out = net(batch["image"])
        counted.append(_counted(out, batch)[:, batch["style"] == v.STYLES.index("photo")])
        b, k = batch["there"].nonzero(as_tuple=True)
        for name in HEADS:
            p, word = out[name][b, :, batch["row"][b, k], batch["column"][b, k]].softmax(-1).max(-1)
            chances[name].append(torch.stack([p, (word == batch[name][b, k]).float()]))
    best = STEPS[torch.cat(counted, 1).float().mean(1).argmax()]
    words = {name: _sure_enough(*torch.cat(found, 1)) for name, found in chances.items()}
    return Thresholds(centre=round(float(best), 2), **words)


def _counted(out: dict[str, Tensor], batch: dict[str, Tensor]) -> Tensor:
    """(STEPS, B) bool: whether the number of things is right (almost hidden ones may be found or not)."""
    lowest = float(STEPS[0])
    n = torch.stack([
        torch.tensor([chance for chance, *_ in peaks(centre, shift, lowest)]).ge(STEPS[:, None]).sum(1)
        for centre, shift in zip(out["centre"], out["shift"], strict=True)
    ], 1)  # fmt: skip
    least = batch["there"].sum(1)
    return (n >= least) & (n <= least + batch["hidden"].sum(1))


def _sure_enough(p: Tensor, right: Tensor) -> float:
    for step in STEPS[STEPS > LEAST - 1e-4].tolist():
        clear = p >= step
        if step > MOST - 1e-4 or not clear.any() or right[clear].mean() >= RIGHT:
            return round(step, 2)
    return MOST


def matched(reading: Reading, centres: list[tuple[float, float]]) -> tuple[list[Found | None], int]:
    """For each true centre the nearest thing found (each used once, nearest pairs first); and how many were
    found where nothing is.
    """
    far = sorted(
        (max(abs(t.x - x), abs(t.y - y)), i, j)
        for i, (x, y) in enumerate(centres)
        for j, t in enumerate(reading.things)
    )
    pairs: dict[int, int] = {}
    for distance, i, j in far:
        if distance <= WITHIN and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return [reading.things[pairs[i]] if i in pairs else None for i in range(len(centres))], (
        len(reading.things) - len(pairs)
    )


def mistakes(picture: Picture, readings: list[Reading]) -> list[tuple[int, Thing, Found | None]]:
    """(picture, thing drawn, what was found instead: None where it was missed) for every visible thing whose
    noun or colour was not read rightly, in order; unclear counts as misread, but for the colours of a sketch.
    """
    true, out = truth(picture), []
    for b, reading in enumerate(readings):
        slots = true["there"][b].nonzero()[:, 0].tolist()
        centres = [(float(true["x"][b, k]), float(true["y"][b, k])) for k in slots]
        scene = picture.batch[b]
        gray = scene.style in v.COLOURLESS_STYLES
        for k, found in zip(slots, matched(reading, centres)[0], strict=True):
            drawn = scene.things[k]
            right = (drawn.noun, UNCLEAR if gray else drawn.colour)
            if found is None or (found.noun, found.colour) != right:
                out.append((b, drawn, found))
    return out


def confusion(picture: Picture, readings: list[Reading]) -> dict:
    """Accuracies and confusion matrices (rows: true words; columns: words found, unclear, missed).

    noun, colour, material, size: the share of all visible things that were found and named rightly (unclear
    and missed ones are wrong); count: the share of pictures with the right number of things (things almost
    hidden may be found or not).
    """
    true = truth(picture)
    words = {name: tuple(w for w in NAMES[name] if w != UNCLEAR) for name in HEADS}
    tables = {name: [[0] * (len(w) + 2) for _ in w] for name, w in words.items()}
    right_counts = extra = total = 0
    for b, reading in enumerate(readings):
        slots = true["there"][b].nonzero()[:, 0].tolist()
        centres = [(float(true["x"][b, k]), float(true["y"][b, k])) for k in slots]
        found, more = matched(reading, centres)
        hidden = int(true["hidden"][b].sum())
        right_counts += len(slots) <= len(reading.things) <= len(slots) + hidden
        extra, total = extra + max(0, more - hidden), total + len(slots)
        for k, thing in zip(slots, found, strict=True):
            for name, known in words.items():
                columns = (*known, UNCLEAR, MISSED)
                word = MISSED if thing is None else getattr(thing, name)
                row = int(true[name][b, k])
                if row < len(known):  # the colours of a sketch cannot be seen
                    tables[name][row][columns.index(word)] += 1
    return {
        "pictures": len(readings), "things": total, "extra": extra,
        "count": round(right_counts / len(readings), 4),
        **{name: _diagonal(table) for name, table in tables.items()},
        "tables": tables,
    }  # fmt: skip


def _diagonal(table: list[list[int]]) -> float | None:
    total = sum(map(sum, table))
    return round(sum(row[i] for i, row in enumerate(table)) / total, 4) if total else None


def fooled(readings: list[Reading], truths: list[Facts], seed: int = 0) -> dict[str, Counts]:
    """By aspect: how many true prompts the judge passes, and how many prompts with one wrong word."""
    dice, out = random.Random(seed), {}
    for reading, facts in zip(readings, truths, strict=True):
        for aspect, change in WRONG.items():
            wrong = change(facts, dice)
            verdict = getattr(judge_reading(reading, facts), aspect)
            if wrong is None or verdict == NOT_ASKED:
                continue
            passes = getattr(judge_reading(reading, wrong), aspect) == HOLDS
            row = out.setdefault(aspect, {"hits": 0, "true": 0, "passes": 0, "false": 0})
            row["hits"], row["true"] = row["hits"] + (verdict == HOLDS), row["true"] + 1
            row["passes"], row["false"] = row["passes"] + passes, row["false"] + 1
    return out


def prompt_of(scene) -> Facts:
    """What is true of a scene, without where things stand."""
    facts = facts_of(scene)
    return replace(facts, things=tuple(said._replace(place=None) for said in facts.things))


def _reworded(name: str, known: tuple[str, ...]):
    def change(facts: Facts, dice: random.Random) -> Facts | None:
        able = [i for i, said in enumerate(facts.things) if getattr(said, name) is not None]
        if not able:
            return None
        i = dice.choice(able)
        taken = {said.noun for said in facts.things} if name == "noun" else {getattr(facts.things[i], name)}
        new = dice.choice([word for word in known if word not in taken])
        things = list(facts.things)
        things[i] = things[i]._replace(**{name: new})
        return replace(facts, things=tuple(things))

    return change


def _recounted(facts: Facts, dice: random.Random) -> Facts | None:
    """One more of something that is there, or one less where there are several."""
    many = [i for i, said in enumerate(facts.things) if facts.counts[said.noun] > 1]
    if many and dice.random() < 0.5:
        i = dice.choice(many)
        return Facts(facts.things[:i] + facts.things[i + 1 :])
    return Facts((*facts.things, dice.choice(facts.things)))


def _turned(facts: Facts, dice: random.Random) -> Facts | None:
    """The first relation the other way round."""
    if not facts.relations:
        return None
    i, name, j = facts.relations[0]
    if facts.things[i].noun == facts.things[j].noun:
        return None
    return replace(facts, relations=((j, name, i),))


WRONG = {
    "nouns": _reworded("noun", v.NOUNS),
    "counts": _recounted,
    "colours": _reworded("colour", v.COLOUR_NAMES),
    "materials": _reworded("material", v.MATERIALS),
    "sizes": _reworded("size", v.SIZE_NAMES),
    "relations": _turned,
    "text": _reworded("text", v.SIGN_WORDS),
}


def measure(
    net: nn.Module, thresholds: Thresholds, n: int = 500, seed: int = 7000, sizes=(64, 32)
) -> dict[str, dict]:
    """Everything measured of a judge, by size and style, on n fresh scenes each of one to six things, all
    pairs, and on n / 5 large signs for what is asked of texts. What concerns prompts is kept by the number
    of things: crowded pictures are harder, and a correction has to know what it corrects.
    """
    out: dict[str, dict] = {"confusion": {}, "following": {}}
    for size in sizes:
        confusions, followings = {}, {}
        for s, style in enumerate(v.STYLES):
            picture = render(sample(n, seed + s, things=(1, v.MAX_THINGS), split="all", styles=style), size)
            readings = read(picture, net=net, thresholds=thresholds)
            confusions[style] = confusion(picture, readings)
            prompts = [prompt_of(scene) for scene in picture.batch]
            followings[style] = {
                str(k): fooled(*_of_number(k, readings, prompts)) for k in range(1, v.MAX_THINGS + 1)
            }
            followings[style]["1"] |= _signs(net, thresholds, max(1, n // 5), seed + s, style, size)
        out["confusion"][str(size)], out["following"][str(size)] = confusions, followings
    return out


def _of_number(k: int, readings: list[Reading], prompts: list[Facts]) -> tuple[list, list]:
    """Readings and prompts of the pictures of k things."""
    rows = [b for b, prompt in enumerate(prompts) if len(prompt.things) == k]
    return [readings[b] for b in rows], [prompts[b] for b in rows]


def _signs(net, thresholds, n: int, seed: int, style: str, size: int) -> dict[str, Counts]:
    """How often the judge reads a large sign rightly, and takes another text for it."""
    scenes = sample(
        n, seed, things=1, nouns="sign", sizes="large", lettered=1.0, split="all", styles=style, turn=0.0
    )
    readings = read(render(scenes, size), net=net, thresholds=thresholds)
    found = fooled(readings, [prompt_of(scene) for scene in scenes])
    return {"text": found["text"]}
