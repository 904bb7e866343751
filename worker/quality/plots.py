"""Precision-recall and reliability plots, one file for each label; needs matplotlib (the extra `plots`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from worker.errors import SettingsInvalid
from worker.quality.evaluation import LabelQuality
from worker.quality.figures import Vector, precision_recall, reliability

_SIZE_INCHES = (9.0, 4.0)
_DOTS_PER_INCH = 120


def plot_quality(
    folder: Path, qualities: Sequence[LabelQuality], scores: Vector, truth: Vector, weights: Vector
) -> list[Path]:
    """Write a plot for each label that has positives, and return the files.

    Args:
        folder: Where to write them; created when missing.
        qualities: Figures of the labels, in the order of the columns.
        scores: Scores, shape [texts, labels].
        truth: 0 or 1, shape [texts, labels].
        weights: Weight of each text, shape [texts].

    Raises:
        SettingsInvalid: matplotlib is not installed, or the folder cannot be written to.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        message = "--plots needs matplotlib: pip install 'sluice-worker[plots]'"
        raise SettingsInvalid(message) from None
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for column, quality in enumerate(qualities):
            if not quality.positives:
                continue
            figure: Any = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
            left, right = figure.subplots(1, 2)
            _precision_recall(left, quality, scores[:, column], truth[:, column], weights)
            _reliability(right, scores[:, column], truth[:, column], weights)
            figure.suptitle(f"{quality.label} ({quality.positives} positives)")
            written.append(folder / f"{_file_name(quality.label)}.png")
            figure.savefig(written[-1])
    except OSError as error:
        message = f"--plots {folder} cannot be written: {error.strerror}. Name a folder you can write to."
        raise SettingsInvalid(message) from None
    return written


def _precision_recall(axes: Any, quality: LabelQuality, scores: Vector, truth: Vector, weights: Vector) -> None:
    precision, recall, _ = precision_recall(scores, truth, weights)
    axes.step(recall, precision, where="post")
    if quality.precision is not None:
        axes.plot(quality.recall, quality.precision, "o", label=f"threshold {quality.threshold:g}")
        axes.legend(loc="upper right")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))


def _reliability(axes: Any, scores: Vector, truth: Vector, weights: Vector) -> None:
    expected, found, share = reliability(scores, truth, weights)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    axes.scatter(expected, found, s=10 + 200 * share)
    axes.set(xlabel="mean score", ylabel="share with the label", xlim=(0, 1), ylim=(0, 1.02))


def _file_name(label: str) -> str:
    return "".join(character if character.isalnum() or character in "-_" else "_" for character in label)
