"""The charts of a report as inline SVG, whose colours follow the page's: light, dark and on paper.

Why not a library: matplotlib's SVG turns letters into outlines (100 KB a chart) and has fixed colours; plotly, Vega and
Bokeh put 1 to 4 MB of script into each page, and nothing is drawn without running it. Lines over two axes from 0 to 1
are all that a report needs.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from worker.quality.report.bands import GRID, Band
from worker.quality.report.figures import Bin, LabelReport

_WIDTH, _HEIGHT = 300, 240
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 10, 10, 40
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

Point = tuple[float, float]


class Axes(NamedTuple):
    """What a chart's two axes mean, and what the chart is called for whoever does not see it."""

    title: str
    x: str
    y: str


def roc(report: LabelReport) -> str:
    """ROC with its band and the point of each tier."""
    if report.ranking is None:
        return ""
    marks = [
        (tier, found.false_share.value, found.recall.value)
        for tier, found in (("review", report.review), ("act", report.act))
        if found.threshold is not None and found.recall is not None and found.false_share is not None
    ]
    return _chart(
        Axes("ROC", "share of the others flagged", "recall"),
        [_line([(0, 0), (1, 1)], "guide"), *_banded(report.ranking.roc), *_marks(marks)],
    )


def precision_recall(report: LabelReport) -> str:
    """Precision over recall with its band and the point of each tier."""
    if report.ranking is None:
        return ""
    marks = [
        (tier, found.recall.value, found.precision.value)
        for tier, found in (("review", report.review), ("act", report.act))
        if found.recall is not None and found.precision is not None
    ]
    axes = Axes("Precision and recall", "recall", "precision")
    return _chart(axes, [*_banded(report.ranking.precision), *_marks(marks)])


def reliability(bins: Sequence[Bin]) -> str:
    """The share that has the label over the mean score; a larger dot stands for more texts."""
    dots = [
        f'<circle class="dot" cx="{_x(one.mean_score)}" cy="{_y(one.positives)}" r="{2.5 + 7 * one.share**0.5:.1f}"/>'
        for one in bins
    ]
    guide = _line([(0, 0), (1, 1)], "guide")
    line = _line([(one.mean_score, one.positives) for one in bins], "thin")
    return _chart(Axes("Reliability", "mean score", "share with the label"), [guide, line, *dots])


def sweep(report: LabelReport) -> str:
    """Precision, its lower bound and recall over the threshold, and where the two tiers begin."""
    lines = []
    for name, kind in (("precision", "first"), ("precision_lower_bound", "first dashed"), ("recall", "second")):
        values = [(point.threshold, getattr(point, name)) for point in report.sweep]
        lines.append(_line([(x, y) for x, y in values if x is not None and y is not None], kind))
    tiers = []
    for tier, threshold in (("review", report.review.threshold), ("act", report.act.threshold)):
        if threshold is not None:
            x = _x(threshold)
            tiers.append(f'<path class="tier {tier}" d="M{x} {_TOP}V{_HEIGHT - _BOTTOM}"/>')
    return _chart(Axes("Threshold sweep", "threshold", "share"), [*lines, *tiers])


def _banded(band: Band) -> Iterable[str]:
    upper = list(zip(GRID.tolist(), band.high.tolist(), strict=True))
    lower = list(zip(GRID.tolist(), band.low.tolist(), strict=True))
    yield f'<path class="band" d="{_path(upper + lower[::-1])}Z"/>'
    yield _line(list(zip(GRID.tolist(), band.value.tolist(), strict=True)), "first")


def _marks(marks: Iterable[tuple[str, float, float]]) -> Iterable[str]:
    for tier, x, y in marks:
        yield f'<circle class="mark {tier}" cx="{_x(x)}" cy="{_y(y)}" r="4.5"><title>{tier}</title></circle>'


def _line(points: Sequence[Point], kind: str) -> str:
    return f'<path class="line {kind}" d="{_path(points)}"/>' if points else ""


def _path(points: Iterable[Point]) -> str:
    return "M" + "L".join(f"{_x(x)} {_y(y)}" for x, y in points)


def _chart(axes: Axes, parts: Iterable[str]) -> str:
    grid = []
    for tick in _TICKS:
        x, y = _x(tick), _y(tick)
        grid += [
            f'<path class="grid" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>',
            f'<text class="tick end" x="{_LEFT - 5}" y="{y + 3.5}">{tick:g}</text>',
            f'<text class="tick" x="{x}" y="{_HEIGHT - _BOTTOM + 14}">{tick:g}</text>',
        ]
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    names = (
        f'<text class="axis" x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 6}">{escape(axes.x)}</text>'
        f'<text class="axis" transform="translate(12 {middle}) rotate(-90)">{escape(axes.y)}</text>'
    )
    label = escape(f"{axes.title}: {axes.y} over {axes.x}", quote=True)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(grid)}{''.join(parts)}{names}</svg>"
    )


def _x(value: float) -> float:
    return round(_LEFT + value * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float) -> float:
    return round(_HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM), 1)
