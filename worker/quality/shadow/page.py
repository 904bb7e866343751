"""The findings as one HTML page: nothing in it is fetched from anywhere, and what comes from records is escaped."""

import math
from collections.abc import Sequence
from html import escape

from worker.observability.shadow_metrics import DIFFERENCES
from worker.quality.report.style import STYLE
from worker.quality.shadow.comparison import Comparison, Findings, Flags, LabelComparison, change_of

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_ABSENT = "&ndash;"
_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 420, 200, 44, 10, 46
_EDGES = (-1.0, *DIFFERENCES)
_TICKS = (-1.0, -0.4, -0.1, -0.02, 0.02, 0.1, 0.4, 1.0)
_BARS = ".bar{fill:var(--first)}.bar.only-incumbent{fill:var(--second)}.bar.none{fill:var(--line)}"


def page(findings: Findings) -> str:
    """The whole page."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Shadow</title>\n<style>{STYLE}{_BARS}</style>\n</head>\n<body>",
            f"<header>\n<h1>A candidate beside the model in use</h1>\n{_origin(findings)}</header>\n<main>",
            *map(_comparison, findings.comparisons),
            "" if findings.comparisons else "<p>Nothing has been compared.</p>",
            "</main>\n</body>\n</html>\n",
        ]
    )


def _origin(findings: Findings) -> str:
    entries = {"Read from": ", ".join(findings.sources)}
    if findings.sampled is not None:
        entries["Sampled"] = f"{findings.sampled:,} label events, of which {findings.waiting:,} wait"
    if findings.missed:
        entries["Missed"] = ", ".join(f"{reason} {count:,}" for reason, count in findings.missed.items())
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{escape(value)}</dd>' for name, value in entries.items())}</dl>"


def _comparison(one: Comparison) -> str:
    compared = "only comments on which they differ" if one.compared is None else f"{one.compared:,} comments"
    alone = [f"<p>Only the {who} has {escape(', '.join(labels))}.</p>" for who, labels in one.only_in.items() if labels]
    figures = "".join(
        f"<figure>{_histogram(label)}<figcaption><b>{escape(label.label)}</b>: score of the candidate minus score of "
        f"the model in use; mean {_signed(label.mean_difference)}. Heights are logarithmic.</figcaption></figure>"
        for label in one.shared()
        if any(label.differences)
    )
    return (
        f"<h2>{escape(one.name_of('candidate'))} against {escape(one.name_of('incumbent'))}: {compared}</h2>"
        f"{''.join(alone)}"
        f'{_table(one)}<p><span class="key second">the model in use only</span>, <span class="key first">the candidate '
        f"only</span>. Ranges hold with 95 % confidence.</p>"
        f'<div class="grid-of">{figures}</div>'
    )


def _table(one: Comparison) -> str:
    head = ("label", "tier", "in use only", "candidate only", "", "both", "in use", "candidate", "change of the share")
    most = max((max(f.incumbent, f.candidate) for label in one.labels.values() for f in _both_tiers(label)), default=0)
    shared = {label.label for label in one.shared()}
    rows = []
    for label in one.labels.values():
        for tier, flags in zip(("review", "act"), _both_tiers(label), strict=True):
            cells = [
                escape(label.label) if tier == "review" else "",
                f'<span class="key {tier}">{tier}</span>',
                f"{flags.incumbent:,}",
                f"{flags.candidate:,}",
                _balance(flags, most),
                f"{flags.both:,}",
                _share(one.share(label, tier, "incumbent")),
                _share(one.share(label, tier, "candidate")),
                _change(flags, one.compared) if label.label in shared else _ABSENT,
            ]
            rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    heads = "".join(f"<th>{name}</th>" for name in head)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _both_tiers(label: LabelComparison) -> Sequence[Flags]:
    return label.review, label.act


def _balance(flags: Flags, most: int) -> str:
    """Two bars from a middle line: to the left the incumbent's flags, to the right the candidate's."""
    left, right = (round(60 * count / most, 1) if most else 0.0 for count in (flags.incumbent, flags.candidate))
    what = escape(f"{flags.incumbent} by the model in use only, {flags.candidate} by the candidate only", quote=True)
    return (
        f'<svg viewBox="0 0 124 12" style="width:124px" role="img" aria-label="{what}">'
        f'<rect class="bar only-incumbent" x="{61 - left:g}" y="1" width="{left:g}" height="10"/>'
        f'<rect class="bar" x="63" y="1" width="{right:g}" height="10"/><path class="grid" d="M62 0V12"/></svg>'
    )


def _share(share: float | None) -> str:
    return _ABSENT if share is None else f"{100 * share:.2f} %"


def _change(flags: Flags, compared: int | None) -> str:
    change = change_of(flags, compared or 0)
    if change is None:
        return _ABSENT
    value, low, high = (f"{100 * one:+.2f}" for one in change)
    return f'{value} <span class="range">{low} to {high}</span> points'


def _signed(value: float | None) -> str:
    return _ABSENT if value is None else f"{value:+.4f}"


def _histogram(label: LabelComparison) -> str:
    """A column for each bin; bins are drawn equally wide, for half of all differences are in the narrow middle ones."""
    counts = label.differences
    highest = math.log1p(max(counts)) or 1.0
    bottom, room = _HEIGHT - _BOTTOM, _HEIGHT - _TOP - _BOTTOM
    parts: list[str] = [f'<path class="grid" d="M{_LEFT} {bottom}H{_WIDTH - 10}"/>']
    for number, count in enumerate(counts):
        height = room * math.log1p(count) / highest
        title = f"{_EDGES[number]:g} to {_EDGES[number + 1]:g}: {count:,}"
        parts.append(
            f'<rect class="bar{"" if count else " none"}" x="{_x(number) + 1:.1f}" y="{bottom - max(height, 1):.1f}" '
            f'width="{_x(1) - _x(0) - 2:.1f}" height="{max(height, 1):.1f}"><title>{title}</title></rect>'
        )
    parts += [
        f'<text class="tick" x="{_x(_EDGES.index(edge)):.1f}" y="{bottom + 14}">{edge:g}</text>' for edge in _TICKS
    ]
    for count in sorted({1, max(counts)}):
        y = bottom - room * math.log1p(count) / highest
        parts.append(f'<text class="tick end" x="{_LEFT - 5}" y="{y + 3.5:.1f}">{count:,}</text>')
    parts.append(f'<text class="axis" x="{(_LEFT + _WIDTH) / 2}" y="{_HEIGHT - 6}">difference of the scores</text>')
    name = escape(f"Differences of the scores of {label.label}", quote=True)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}">{"".join(parts)}</svg>'


def _x(number: int) -> float:
    return _LEFT + number * (_WIDTH - 10 - _LEFT) / len(DIFFERENCES)
