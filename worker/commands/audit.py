"""`sluice audit`: scores published events again and reports every difference."""

import argparse
import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import positive
from worker.errors import AuditFailed
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.label import LabelEvent
    from worker.audit.comparison import Difference
    from worker.audit.tally import Tally

EXAMPLE = """sluice audit --count 10000
         sluice watch --from-start --count 1000 --json > events.jsonl; sluice audit events.jsonl"""

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="label events, one JSON object a line; - for stdin (default: what is in the output topic now)",
    )
    parser.add_argument("--count", type=positive, metavar="N", help="the first N events (default: all)")
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="MODEL",
        help="a further model that events may name: embedded name, hub name or folder; may be repeated",
    )
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        metavar="LOGITS",
        help="how much a logit may differ; 0: every digit counts (default: the tolerance of the precision)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object for each difference, and the counts as the last one"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Score the events again, in the settings' windows; print the differences and the counts.

    Raises:
        AuditFailed: There is a difference beyond the tolerance, or none of the events could be scored again.
    """
    from worker.audit.auditor import Auditor
    from worker.audit.models import ModelsAtHand
    from worker.audit.published import Published
    from worker.audit.source import events_of_file, events_of_topic
    from worker.terminal.progress import progress

    auditor = Auditor(ModelsAtHand(settings.model, arguments.also), Published(settings.input), arguments.tolerance)
    values = events_of_topic(settings) if arguments.file is None else events_of_file(arguments.file)
    with progress("events", arguments.count) as advance:
        found = auditor.differences(islice(values, arguments.count), advance)
        hidden = _print_json(found) if arguments.json else _print_lines(found)
    tally = auditor.tally
    if arguments.json:
        sys.stdout.write(json.dumps({"summary": tally.summary()}) + "\n")
    else:
        more = [f"... and {hidden:,} more; --json has them all"] if hidden else []
        sys.stdout.writelines(f"{line}\n" for line in [*more, *tally.table()])
    _judge(tally)


def _judge(tally: "Tally") -> None:
    if tally.differing:
        message = f"{tally.differing:,} of {tally.audited:,} events differ from what the model says now"
        raise AuditFailed(message)
    if tally.scorable and not tally.audited:
        message = f"none of {tally.scorable:,} events could be scored again; the counts say why"
        raise AuditFailed(message)


def _print_json(found: "Iterator[tuple[LabelEvent, Difference]]") -> int:
    for event, difference in found:
        named = {"event": event.id, "comment": _comment_id(event), **difference._asdict()}
        sys.stdout.write(json.dumps(named, ensure_ascii=False) + "\n")
    return 0


def _print_lines(found: "Iterator[tuple[LabelEvent, Difference]]") -> int:
    """Print the first differences; return how many there are beyond."""
    hidden = 0
    for number, (event, (kind, label, published, again)) in enumerate(found):
        if number < _SHOWN:
            source = event.source
            place = f"{source.topic}/{source.partition}/{source.offset}"
            sys.stdout.write(f"{place}  {kind}  {label or '-'}: published {published}, now {again}\n")
        else:
            hidden += 1
    return hidden


def _comment_id(event: "LabelEvent") -> str | None:
    return None if event.comment_id is None else event.comment_id.value


def _tolerance(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        message = "write a number, 0 or above"
        raise argparse.ArgumentTypeError(message)
    return value
