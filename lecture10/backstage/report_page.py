"""The report as one page of HTML: self-contained; readable on screen, in print, and without colour.

Each claim's interval is drawn in units of its own margin, so that all of them share one axis: right of +1
is shown, left of −1 is opposite, between them is no difference.
"""

import html
import math

from lecture10.backstage.report import Entry, counted, ours
from lecture10.findings import LOOKS

WIDTH, HEIGHT, REACH = 220, 26, 4.0  # pixels, pixels, margins on each side of zero

STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 76rem;
       margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid #ccc; }
th { border-bottom: 2px solid #1a1a1a; }
small { color: #444; } .name { font-family: ui-monospace, monospace; font-size: .9em; }
.word { font-weight: 700; white-space: nowrap; }
.mark { border: 1px solid #555; border-radius: .3em; padding: 0 .35em; }
.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
@media print { body { font-size: 10pt; max-width: none; margin: 0; } tr { break-inside: avoid; }
               thead { display: table-header-group; } }
"""

HEAD = "claim", "paper", "ours [95 %]", "in units of the margin", "verdict", "after Holm", "expected"


def page(entries: list[Entry]) -> str:
    """The whole page for these lines of the report."""
    heads = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
    body = "\n".join(_line(entry) for entry in entries)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lecture 10: claims and verdicts</title><style>{STYLE}</style></head><body>
<h1>Lecture 10: claims and verdicts</h1>
<p>{html.escape(counted(entries)[0])}
An effect is positive in the direction of the claim; its 95 % interval over
paired seeds decides: {_legend()}.
Holm's correction keeps the chance that any decided word here is wrong at 5 %.</p>
<table><thead><tr>{heads}</tr></thead><tbody>
{body}
</tbody></table></body></html>
"""


def _line(entry: Entry) -> str:
    claim, finding, text = entry.claim, entry.finding, html.escape
    marks = [entry.problem] if entry.problem else finding.marks()
    marked = "".join(f'<br><small><span class="mark">note</span> {text(mark)}</small>' for mark in marks)
    paper = "" if claim.paper is None else text(str(claim.paper))
    margin = (
        f"<br><small>margin {claim.margin:g}, {finding.verdict.seeds} seeds</small>" if finding.used else ""
    )
    about = (
        f'<td><span class="name">{text(claim.name)}</span><br>{text(claim.says)}<br>'
        f"<small>{text(claim.slide)} · {text(str(claim.effect))}</small><br>"
        f"<small>Does not test: {text(claim.does_not_test)}</small>{marked}</td>"
    )
    cells = (
        f'<td>{paper}</td><td class="number">{ours(entry)}{margin}</td><td>{_forest(entry)}</td>'
        f"<td>{_word(finding.word)}</td><td>{_word(entry.corrected) if finding.used else ''}</td>"
        f"<td>{text(claim.expects)}</td>"
    )
    return f"<tr>{about}{cells}</tr>"


def _word(word: str) -> str:
    sign, colour = LOOKS[word]
    return f'<span class="word" style="color:{colour}">{sign} {html.escape(word)}</span>'


def _legend() -> str:
    means = {
        "shown": "wholly above the margin",
        "opposite": "wholly below minus the margin",
        "no difference": "wholly inside both",
        "can't tell": "anything else, or fewer than three seeds",
    }
    return "; ".join(f"{_word(word)} {meaning}" for word, meaning in means.items())


def _forest(entry: Entry) -> str:
    """The interval as a line with a dot, in units of the margin; an arrow where it leaves the picture."""
    result = entry.finding.verdict
    if not entry.finding.used or math.isnan(result.low):
        return ""
    low, mid, high = (_x(value / result.margin) for value in (result.low, result.mean, result.high))
    colour, y = LOOKS[entry.finding.word][1], HEIGHT / 2
    spoken = html.escape(f"{entry.claim.name}: {ours(entry)}, margin {result.margin:g}", quote=True)
    band = f'<rect x="{_x(-1):.1f}" width="{_x(1) - _x(-1):.1f}" height="{HEIGHT}" fill="#e8e8e8"/>'
    zero = f'<path d="M{_x(0):.1f} 0V{HEIGHT}" stroke="#777" stroke-dasharray="3 3"/>'
    line = f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="{colour}" stroke-width="3"/>'
    ends = "".join(
        f'<path d="M{x:.1f} {y - 6}l{6 * way} 6l{-6 * way} 6z" fill="{colour}"/>'
        for x, way, out in (
            (8, -1, result.low < -REACH * result.margin),
            (WIDTH - 8, 1, result.high > REACH * result.margin),
        )
        if out
    )
    dot = f'<circle cx="{mid:.1f}" cy="{y}" r="4.5" fill="{colour}"/>'
    return (
        f'<svg role="img" aria-label="{spoken}" width="{WIDTH}" height="{HEIGHT}"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{band}{zero}{line}{ends}{dot}</svg>"
    )


def _x(margins: float) -> float:
    inside = max(-REACH, min(REACH, margins))
    return 8 + (inside + REACH) / (2 * REACH) * (WIDTH - 16)
