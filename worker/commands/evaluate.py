"""`sluice evaluate`: measures quality on labelled data, per label."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.commands.arguments import add_data_arguments, labelled_file
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.quality.evaluation import LabelQuality
    from worker.types import ModelIdentity
    from worker.verdicts import ThresholdSet

EXAMPLE = "sluice evaluate labelled.csv --plots plots"

_COLUMNS = (
    ("positives", "positives"),
    ("average_precision", "AP"),
    ("roc_auc", "ROC-AUC"),
    ("threshold", "threshold"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("f1", "F1"),
    ("recall_at_high_precision", "R@P90"),
    ("brier", "Brier"),
    ("calibration_error", "ECE"),
)
_MEANS = ("average_precision", "roc_auc", "f1")
_ABSENT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print all figures as one JSON object")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write a plot for each label (needs matplotlib)")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Score the file's texts and print the figures of each label."""
    from worker.quality.evaluation import evaluate_label
    from worker.quality.scored_texts import load_and_score

    scored = load_and_score(settings, labelled_file(arguments, settings), arguments.clean_weight)
    qualities = [
        evaluate_label(
            label, scored.scores[:, i], scored.truth[:, i], scored.weights, scored.thresholds.lowest_flagged(label)
        )
        for i, label in enumerate(scored.labels)
    ]
    if arguments.plots:
        from worker.quality.plots import plot_quality

        for file in plot_quality(arguments.plots, qualities, scored.scores, scored.truth, scored.weights):
            sys.stderr.write(f"wrote {file}\n")
    if arguments.json:
        figures = _as_json(qualities, scored.identity, scored.thresholds, len(scored.truth), scored.unscorable)
        sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    else:
        _print_table(qualities, scored.identity, scored.thresholds, len(scored.truth), scored.unscorable)


def _as_json(
    qualities: "Sequence[LabelQuality]", model: "ModelIdentity", thresholds: "ThresholdSet", texts: int, unscorable: int
) -> dict[str, Any]:
    return {
        "model": model._asdict(),
        "threshold_set": thresholds.name,
        "texts": texts,
        "unscorable": unscorable,
        "labels": {quality.label: asdict(quality) for quality in qualities},
        "mean": _means(qualities),
    }


def _means(qualities: "Sequence[LabelQuality]") -> dict[str, float | None]:
    from worker.quality.evaluation import mean

    return {name: mean([getattr(quality, name) for quality in qualities]) for name in _MEANS}


def _print_table(
    qualities: "Sequence[LabelQuality]", model: "ModelIdentity", thresholds: "ThresholdSet", texts: int, unscorable: int
) -> None:
    rows = [["label", *(title for _, title in _COLUMNS)]]
    rows += [[quality.label, *(_cell(getattr(quality, name)) for name, _ in _COLUMNS)] for quality in qualities]
    means = _means(qualities)
    rows.append(["mean", *(_cell(means[name]) if name in means else "" for name, _ in _COLUMNS)])
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    revision = f" revision {model.revision}" if model.revision else ""
    sys.stdout.write(f"{model.id}{revision}, {model.precision}, thresholds {thresholds.name}, {texts} texts")
    sys.stdout.write(f", {unscorable} could not be scored\n\n" if unscorable else "\n\n")
    for label, *cells in rows:
        padded = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, others, strict=True))
        sys.stdout.write(f"{label:<{first}}  {padded}".rstrip() + "\n")


def _cell(value: float | None) -> str:
    if value is None:
        return _ABSENT
    return str(value) if isinstance(value, int) else f"{value:.4f}"
