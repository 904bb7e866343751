"""`sluice thresholds`: chooses the two tiers of each label on labelled data, as a versioned set."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import add_data_arguments, labelled_file
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.quality.scored_texts import ScoredTexts
    from worker.quality.tiers import LabelTiers, Targets

EXAMPLE = """sluice thresholds labelled.csv --least-precision 0.9 --least-recall 0.8 --name mine@1 --output mine.json
         sluice run --set model.thresholds=mine.json"""

TIERS, BEST_F1, PRECISION = "tiers", "best-f1", "precision"
REFUSE, NEVER = "refuse", "never"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument(
        "--rule",
        choices=(TIERS, BEST_F1, PRECISION),
        default=TIERS,
        help="tiers: act from the lowest threshold that reaches a precision with 95 %% confidence, review from the "
        "highest that reaches a recall; precision: act alone; best-f1: review alone, the median over 200 bootstrap "
        "resamples (default: %(default)s)",
    )
    for name, tier, what in (("precision", "act", "precision"), ("recall", "review", "recall")):
        parser.add_argument(
            f"--least-{name}",
            type=_share,
            default=0.9,
            metavar=name[0].upper(),
            help=f"the {what} that the tier {tier} must reach (default: %(default)s)",
        )
    parser.add_argument(
        "--few",
        choices=(REFUSE, NEVER),
        default=REFUSE,
        help="what a label with too few texts gets: refuse to choose, or never reach that tier (default: %(default)s)",
    )
    parser.add_argument("--name", default="mine@1", help="name and version of the set (default: %(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the set to this new file")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the trade-off of each label to this SVG file")
    parser.add_argument("--json", action="store_true", help="print the set as one JSON object on one line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Choose the tiers of each label that the file has; print the trade-off, and the set unless it goes to a file."""
    from worker.quality.scored_texts import load_and_score
    from worker.quality.threshold_set import check_name, provenance, threshold_set, write_set
    from worker.quality.tiers import Few, Rule, Targets, choose_tiers

    check_name(arguments.name)
    targets = Targets(Rule(arguments.rule), arguments.least_precision, arguments.least_recall)
    scored = load_and_score(_without_its_set(settings), labelled_file(arguments, settings), arguments.clean_weight)
    chosen = choose_tiers(scored, targets, Few(arguments.few))
    today = datetime.now(UTC).date()
    origin = provenance(scored, arguments.file, targets, arguments.clean_weight, today)
    content = threshold_set(arguments.name, chosen, origin)
    _warn(chosen, targets)
    if arguments.plot:
        _plot(arguments.plot, scored, chosen)
    if arguments.output:
        write_set(arguments.output, content)
    if arguments.json or not arguments.output:
        sys.stdout.write(json.dumps(content, indent=None if arguments.json else 2, ensure_ascii=False) + "\n")
    if not arguments.json:
        _print_tables(scored, chosen, to_stdout=bool(arguments.output))


def _without_its_set(settings: Settings) -> Settings:
    """The settings without a set: the one in force may be for another model, and says nothing about the new one."""
    model = settings.model.model_copy(update={"thresholds": None, "foreign_thresholds": True})
    return settings.model_copy(update={"model": model})


def _print_tables(scored: "ScoredTexts", chosen: "dict[str, LabelTiers]", *, to_stdout: bool) -> None:
    """The trade-off of each label; on stderr where stdout has the set."""
    from worker.quality.trade_off import table, trade_off

    out = sys.stdout if to_stdout else sys.stderr
    for column, (label, tiers) in enumerate(chosen.items()):
        rows = trade_off(scored.scores[:, column], scored.truth[:, column], scored.weights, tiers)
        out.write("\n".join(table(label, len(scored.truth), tiers, rows)) + "\n\n")


def _plot(path: Path, scored: "ScoredTexts", chosen: "dict[str, LabelTiers]") -> None:
    from worker.quality.trade_off import curve
    from worker.quality.trade_off_plot import write_plot

    curves = {
        label: curve(scored.scores[:, column], scored.truth[:, column], scored.weights)
        for column, label in enumerate(chosen)
    }
    write_plot(path, curves, chosen)
    sys.stderr.write(f"wrote {path}\n")


def _warn(chosen: "dict[str, LabelTiers]", targets: "Targets") -> None:
    """Name each tier that the rule leaves out."""
    for label, tiers in chosen.items():
        for tier, needed in targets.needs.items():
            if (tiers.act if tier == "act" else tiers.review).threshold is not None:
                continue
            if tiers.positives < needed:
                why = f"{tiers.positives} texts have it, and it takes {needed}"
            else:
                why = f"no threshold is certain to reach precision {targets.precision:g}"
            sys.stderr.write(f"{label}: the tier {tier} is never reached: {why}.\n")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        message = "write a number between 0 and 1"
        raise argparse.ArgumentTypeError(message)
    return value
