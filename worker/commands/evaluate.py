"""`sluice evaluate`: measures quality on labelled data, per label."""

import argparse
import json
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.commands.arguments import add_data_arguments, labelled_file
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.quality.evaluation import LabelQuality
    from worker.quality.scored_texts import ScoredTexts
    from worker.types import ModelIdentity
    from worker.verdicts import ThresholdSet

EXAMPLE = "sluice evaluate labelled.csv --report report.html"

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
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write one HTML page with curves, slices and mistakes, and its figures to the same name ending in .json",
    )
    parser.add_argument("--with-text", action="store_true", help="show the texts of the worst mistakes in the report")
    parser.add_argument(
        "--language-column",
        default="language",
        metavar="NAME",
        help="column of the texts' languages, for the report; without one they are detected (default: %(default)s)",
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write a plot for each label (needs matplotlib)")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Score the file's texts and print the figures of each label."""
    from worker.quality.evaluation import evaluate_label
    from worker.quality.scored_texts import load_and_score

    if arguments.report:
        from worker.quality.report.files import check_path

        check_path(arguments.report)
    labelled = replace(labelled_file(arguments, settings), language_column=arguments.language_column)
    scored = load_and_score(settings, labelled, arguments.clean_weight)
    if arguments.report:
        _write_report(arguments, settings, scored)
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


def _write_report(arguments: argparse.Namespace, settings: Settings, scored: "ScoredTexts") -> None:
    from worker.quality.report.figures import make_report
    from worker.quality.report.files import write_report
    from worker.quality.report.languages import languages_of
    from worker.quality.report.origin import origin

    today = datetime.now(UTC).date()
    report = make_report(
        scored,
        languages_of(scored, settings.model),
        origin(scored, arguments.file, arguments.clean_weight, today),
        with_texts=arguments.with_text,
    )
    for file in write_report(arguments.report, report):
        sys.stderr.write(f"wrote {file}\n")


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
