"""The results of a benchmark: a report as JSON and a plot, all in one style."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OURS, THEIRS, BESIDE, LIMIT = "#d1495b", "#8d99ae", "#edae49", "#2e4057"
"""Colours of Sluice, its rivals, what is shown beside it, and what it is compared with."""

SIZE = (8.0, 3.4)


def save(
    folder: Path, name: str, report: Mapping[str, Any], draw: Callable[[Any], None], *, size: tuple[float, float] = SIZE
) -> None:
    """Write `name`.json and `name`.png into the folder.

    Args:
        folder: Created when missing.
        name: Name of both files.
        report: The figures, and the machine they were measured on.
        draw: Fills the figure (`matplotlib.figure.Figure`). Without matplotlib (the extra `plots`) there is no plot,
            and a message says so.
        size: Size of the figure in inches.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        print("no plot: matplotlib is not installed. Install the extra `plots`.", file=sys.stderr)
        return
    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(folder / f"{name}.png", dpi=120)


def bars(axes: Any, title: str, rates: Mapping[str, float], *, label: str) -> None:
    """Draw a bar for each rate, ours in its own colour; `label` formats the number beside it."""
    colours = [OURS if "sluice" in name else THEIRS for name in rates]
    axes.bar_label(axes.barh(list(rates), list(rates.values()), color=colours), fmt=label, padding=3)
    axes.set_title(title)
    axes.margins(x=0.1)
