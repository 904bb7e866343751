"""`sluice thresholds`: chooses per-label thresholds on labelled data, as a versioned set."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import add_data_arguments, labelled_file
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.quality.threshold_rules import Choice

EXAMPLE = """sluice thresholds labelled.csv --rule precision --least-precision 0.9 --name mine@1 --output mine.json
         sluice run --set model.thresholds=mine.json"""

BEST_F1, PRECISION = "best-f1", "precision"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument(
        "--rule",
        choices=(BEST_F1, PRECISION),
        default=BEST_F1,
        help="best-f1: median over 200 bootstrap resamples; precision: the lowest threshold that reaches a precision "
        "with 95 %% confidence (default: %(default)s)",
    )
    parser.add_argument(
        "--least-precision",
        type=_share,
        default=0.9,
        metavar="P",
        help="the precision that the rule `precision` must reach (default: 0.9)",
    )
    parser.add_argument("--name", default="mine@1", help="name and version of the set (default: %(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the set to this new file")
    parser.add_argument("--json", action="store_true", help="print the set as one JSON object on one line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Choose a threshold for each label that the file has; print the set, or a table when the set goes to a file."""
    from worker.quality.scored_texts import load_and_score
    from worker.quality.threshold_set import (
        Rule,
        check_name,
        choose_thresholds,
        provenance,
        threshold_set,
        write_set,
    )

    check_name(arguments.name)
    rule = Rule(arguments.rule)
    scored = load_and_score(settings, labelled_file(arguments, settings), arguments.clean_weight)
    choices = choose_thresholds(scored, rule, arguments.least_precision)
    origin = provenance(scored, arguments.file, rule, arguments.least_precision, arguments.clean_weight)
    content = threshold_set(arguments.name, choices, origin)
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
            what = f"no text has it, so the set leaves it out and model.threshold = {default:g} applies"
        else:
            what = (
                "no threshold is certain to reach that precision on so few texts, so it gets 1, which few scores reach"
            )
        sys.stderr.write(f"{label}: {what}. Add labelled texts that have it.\n")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        message = "write a number between 0 and 1"
        raise argparse.ArgumentTypeError(message)
    return value
