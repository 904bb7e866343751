"""`sluice watch`: follows the label events."""

import argparse
import sys

from worker.commands.arguments import positive
from worker.settings import Settings

EXAMPLE = "sluice watch --flagged"

_LOOK_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--flagged", action="store_true", help="only comments with at least one label")
    parser.add_argument("--from-start", action="store_true", help="begin with the events that are already there")
    parser.add_argument("--count", type=positive, metavar="N", help="end after N events (default: until Ctrl-C)")
    parser.add_argument("--json", action="store_true", help="print the events unchanged, one JSON object a line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print each label event as it arrives, one readable line each, until Ctrl-C."""
    from worker.formats.label_events import event_reader
    from worker.kafka.dead_letters.reader import DeadLetter
    from worker.kafka.outcome_reader import OutcomeReader
    from worker.terminal.as_read import AsRead
    from worker.terminal.columns import columns_of
    from worker.terminal.rendering import event_line

    reader = OutcomeReader(
        settings, dead_letters=False, from_start=arguments.from_start, read_event=event_reader(settings)
    )
    shown, columns, as_read = 0, columns_of(sys.stdout), AsRead(settings.input)
    until = "Ctrl-C" if arguments.count is None else f"{arguments.count} events are shown, or Ctrl-C"
    sys.stderr.write(f"following {settings.output.topic} until {until} ...\n")
    try:
        while True:
            for outcome in reader.read(_LOOK_SECONDS):
                if isinstance(outcome, DeadLetter) or (arguments.flagged and not outcome.event.flagged):
                    continue
                line = outcome.value.decode() if arguments.json else event_line(as_read(outcome.event), columns)
                sys.stdout.write(line + "\n")
                shown += 1
                if shown == arguments.count:
                    return
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass  # the normal way to end it
    finally:
        reader.close()
        if reader.unreadable:
            sys.stderr.write(f"{reader.unreadable} records of {settings.output.topic} are not label events\n")
