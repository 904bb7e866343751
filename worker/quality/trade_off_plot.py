"""Draws the trade-off of every label as one SVG file: precision with its lower bound and recall over the threshold."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from worker.errors import SettingsInvalid
from worker.quality.threshold_rules import Choice
from worker.quality.tiers import LabelTiers

_WIDTH, _HEIGHT = 320, 200
_LEFT, _TOP, _RIGHT, _BOTTOM = 36, 28, 12, 34
_COLUMNS = 3
_LEGEND = 30
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CURVES: Sequence[tuple[str, str, str, Callable[[Choice], float | None]]] = (
    ("precision", "#1f6feb", "", lambda choice: choice.precision),
    ("precision, lower bound", "#1f6feb", "3 3", lambda choice: choice.precision_lower_bound),
    ("recall", "#d1570a", "", lambda choice: choice.recall),
)
_TIERS: Sequence[tuple[str, str, Callable[[LabelTiers], Choice]]] = (
    ("review", "#6e7781", lambda tiers: tiers.review),
    ("act", "#1a7f37", lambda tiers: tiers.act),
)


def write_plot(path: Path, curves: Mapping[str, Sequence[Choice]], chosen: Mapping[str, LabelTiers]) -> None:
    """Write one panel for each label to an SVG file, which any browser shows; it needs no other file.

    Args:
        path: The file, ending in .svg.
        curves: For each label the figures at thresholds from the lowest to the highest.
        chosen: For each label its tiers, drawn as upright lines.

    Raises:
        SettingsInvalid: The file has another suffix, or cannot be written.
    """
    if path.suffix.lower() != ".svg":
        message = f"--plot {path}: the plot is an SVG file. Give it the suffix .svg."
        raise SettingsInvalid(message)
    try:
        path.write_text(svg(curves, chosen), encoding="utf-8")
    except OSError as error:
        message = f"--plot {path} cannot be written: {error.strerror}. Name another file."
        raise SettingsInvalid(message) from None


def svg(curves: Mapping[str, Sequence[Choice]], chosen: Mapping[str, LabelTiers]) -> str:
    """The plot as SVG."""
    columns = min(_COLUMNS, len(curves))
    rows = -(-len(curves) // columns)
    width, height = max(columns * _WIDTH, 2 * _WIDTH), rows * _HEIGHT + _LEGEND
    panels = [
        f'<g transform="translate({number % columns * _WIDTH} {number // columns * _HEIGHT})">'
        + "".join(_panel(label, points, chosen[label]))
        + "</g>"
        for number, (label, points) in enumerate(curves.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" fill="#24292f">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        f'{"".join(panels)}<g transform="translate({_LEFT} {height - 12})">{"".join(_legend())}</g></svg>\n'
    )


def _panel(label: str, points: Sequence[Choice], tiers: LabelTiers) -> list[str]:
    parts = [f'<text x="{_LEFT}" y="18" font-weight="bold">{escape(label)} ({tiers.positives:,} texts)</text>']
    for tick in _TICKS:
        x, y = _x(tick), _y(tick)
        parts += [
            f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" stroke="#d0d7de" stroke-width="0.5"/>',
            f'<text x="{_LEFT - 4}" y="{y + 4}" text-anchor="end">{tick:g}</text>',
            f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 14}" text-anchor="middle">{tick:g}</text>',
        ]
    for _, colour, dashes, share in _CURVES:
        drawn = [(point.threshold, share(point)) for point in points]
        path = "L".join(f"{_x(x)} {_y(y)}" for x, y in drawn if x is not None and y is not None)
        if path:
            parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-dasharray="{dashes}"/>')
    for _, colour, tier in _TIERS:
        if (threshold := tier(tiers).threshold) is not None:
            line = f"M{_x(threshold)} {_TOP}V{_HEIGHT - _BOTTOM}"
            parts.append(f'<path d="{line}" stroke="{colour}" stroke-width="1.5"/>')
    return parts


def _legend() -> list[str]:
    parts, x = [], 0
    entries = [(name, colour, dashes) for name, colour, dashes, _ in _CURVES]
    entries += [(f"tier {name}", colour, "") for name, colour, _ in _TIERS]
    for name, colour, dashes in entries:
        parts += [
            f'<path d="M{x} -4h18" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>',
            f'<text x="{x + 22}" y="0">{escape(name)}</text>',
        ]
        x += 40 + 6 * len(name)
    return parts


def _x(threshold: float) -> float:
    return round(_LEFT + threshold * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(share: float) -> float:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)
