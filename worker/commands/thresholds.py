"""`sluice thresholds`: per-label thresholds from labelled data, as a versioned set."""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import add_data_arguments
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.quality.threshold_rules import Choice

EXAMPLE = """sluice thresholds labelled.csv --rule precision --least-precision 0.9 --name mine@1 --output mine.json
         sluice run --set model.thresholds=mine.json"""

BEST_F1, PRECISION = "best-f1", "precision"
_SEED = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    add_data_arguments(parser)
    parser.add_argument(
        "--rule",
        choices=(BEST_F1, PRECISION),
        default=BEST_F1,
        help="best-f1 (median over 200 bootstrap resamples), or the lowest threshold that holds a precision with 95 %% "
        "confidence (default: %(default)s)",
    )
    parser.add_argument(
        "--least-precision",
        type=_share,
        default=0.9,
        metavar="P",
        help="for that rule (default: 0.9)",
    )
    parser.add_argument("--name", default="mine@1", help="name and version of the set (default: %(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the set to this new file")
    parser.add_argument("--json", action="store_true", help="print the set as one JSON object on one line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Choose a threshold for each label the file speaks of; print the set, or a table when it goes to a file."""
    import numpy as np  # noqa: PLC0415 - neither numpy nor torch is needed for --help

    from worker.quality.scored_texts import load_and_score  # noqa: PLC0415
    from worker.quality.threshold_rules import best_f1, lowest_at_precision  # noqa: PLC0415
    from worker.quality.threshold_set import check_name, threshold_set, write_set  # noqa: PLC0415

    check_name(arguments.name)
    scored = load_and_score(settings, arguments.file, arguments.clean_weight)
    choices: dict[str, Choice] = {}
    for column, label in enumerate(scored.labels):
        given = scored.scores[:, column], scored.truth[:, column], scored.weights
        if arguments.rule == BEST_F1:
            choices[label] = best_f1(*given, np.random.default_rng(_SEED))
        else:
            choices[label] = lowest_at_precision(*given, arguments.least_precision)
    rule = {"name": arguments.rule, "precision": arguments.least_precision, "confidence": 0.95}
    provenance = {
        "rule": {"name": BEST_F1, "seed": _SEED} if arguments.rule == BEST_F1 else rule,
        "model": scored.identity._asdict(),
        "data": {
            "file": arguments.file.name,
            "sha256": hashlib.sha256(arguments.file.read_bytes()).hexdigest(),
            "texts": len(scored.truth),
            "clean_weight": arguments.clean_weight,
            "positives": {label: int(scored.truth[:, i].sum()) for i, label in enumerate(scored.labels)},
        },
    }
    content = threshold_set(arguments.name, choices, provenance)
    _warn(choices, arguments.rule, settings.model.threshold)
    if arguments.output:
        write_set(arguments.output, content)
    if arguments.json or not arguments.output:
        sys.stdout.write(json.dumps(content, indent=None if arguments.json else 2, ensure_ascii=False) + "\n")
    else:
        _print_table(choices)


def _print_table(choices: "Mapping[str, Choice]") -> None:
    width = max(len("label"), *map(len, choices))
    sys.stdout.write(f"{'label':<{width}}  threshold  precision  at least  recall\n")
    for label, choice in choices.items():
        cells = (choice.threshold, choice.precision, choice.precision_lower_bound, choice.recall)
        shown = ("-" if cell is None else f"{cell:.3f}" for cell in cells)
        sys.stdout.write(f"{label:<{width}}  " + "  ".join(map("{:>{}}".format, shown, (9, 9, 8, 6))) + "\n")


def _warn(choices: "Mapping[str, Choice]", rule: str, default: float) -> None:
    for label, choice in choices.items():
        if choice.reached:
            continue
        if rule == BEST_F1:
            what = f"no text has it, so the set leaves it out; it takes model.threshold = {default:g}"
        else:
            what = "no threshold holds that precision on so few texts, so it gets 1, which hardly anything reaches"
        sys.stderr.write(f"{label}: {what}. More labelled texts with it would help.\n")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        message = "write a number between 0 and 1"
        raise argparse.ArgumentTypeError(message)
    return value
