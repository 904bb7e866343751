"""`sluice watch`: follows the label events."""

import argparse
import sys

from worker.commands.arguments import positive
from worker.settings import Settings

EXAMPLE = "sluice watch --flagged"

_LOOK_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--flagged", action="store_true", help="only comments with at least one label")
    parser.add_argument("--from-start", action="store_true", help="begin with the events that are already there")
    parser.add_argument("--count", type=positive, metavar="N", help="end after N events; without it at Ctrl-C")
    parser.add_argument("--json", action="store_true", help="the events as they are, one JSON object a line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print each label event as it comes, one readable line each, until Ctrl-C."""
    from worker.kafka.dead_letters.reader import DeadLetter  # noqa: PLC0415 - not needed for --help
    from worker.kafka.outcome_reader import OutcomeReader  # noqa: PLC0415
    from worker.terminal.rendering import event_line  # noqa: PLC0415

    reader = OutcomeReader(settings, dead_letters=False, from_start=arguments.from_start)
    shown = 0
    sys.stderr.write(f"following {settings.output.topic} until Ctrl-C ...\n")
    try:
        while True:
            for outcome in reader.read(_LOOK_SECONDS):
                if isinstance(outcome, DeadLetter) or (arguments.flagged and not outcome.event.flagged):
                    continue
                sys.stdout.write((outcome.value.decode() if arguments.json else event_line(outcome.event)) + "\n")
                shown += 1
                if shown == arguments.count:
                    return
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass  # the ordinary end of it
    finally:
        reader.close()
        if reader.unreadable:
            sys.stderr.write(f"{reader.unreadable} records of {settings.output.topic} are no label events\n")
