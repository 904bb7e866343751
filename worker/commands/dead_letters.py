"""`sluice dead-letters show|replay`: reads dead letters, or sends them back to their topic with a limit on replays."""

import argparse
import random
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.settings import Settings

if TYPE_CHECKING:
    from worker.kafka.dead_letters.reader import DeadLetter

EXAMPLE = "sluice dead-letters replay --dry-run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "action", choices=("show", "replay"), help="show: print one line for each; replay: send them back"
    )
    parser.add_argument("--error", action="append", default=[], metavar="KIND", help="only these errors (InvalidJson)")
    parser.add_argument("--stage", action="append", default=[], metavar="STAGE", help="only these stages (DECODE)")
    parser.add_argument(
        "--since", type=_time, metavar="TIME", help="failed at this time (ISO 8601) or later, even if already replayed"
    )
    parser.add_argument("--until", type=_time, metavar="TIME", help="failed before this time")
    parser.add_argument("--from-beginning", action="store_true", help="replay: include what was replayed before")
    parser.add_argument("--topic", metavar="TOPIC", help="replay: send to this topic instead of the original one")
    parser.add_argument("--dry-run", action="store_true", help="replay: only show what would be sent")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each dead letter")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Show or replay what is in the dead letter topic now; nothing is removed from it."""
    from worker.kafka.dead_letters.reader import Filter, read_dead_letters
    from worker.kafka.dead_letters.replay import replay_dead_letters
    from worker.kafka.dead_letters.replay_position import replay_group
    from worker.terminal.rendering import dead_letter_json_line, dead_letter_row

    chosen = Filter(
        frozenset(arguments.error), frozenset(arguments.stage), arguments.since or "", arguments.until or ""
    )
    render = dead_letter_json_line if arguments.json else dead_letter_row

    def write(letter: "DeadLetter") -> None:
        sys.stdout.write(render(letter) + "\n")

    if arguments.action == "show":
        shown = 0
        for letter in read_dead_letters(settings, chosen, clock=time.monotonic):
            write(letter)
            shown += 1
        sys.stderr.write(f"{shown} dead letters\n")
        return
    done = replay_dead_letters(
        settings,
        chosen,
        clock=time.monotonic,
        sleep=time.sleep,
        uniform=random.uniform,
        from_beginning=arguments.from_beginning,
        dry_run=arguments.dry_run,
        topic=arguments.topic,
        progress=write,
    )
    verb = "would be sent back" if arguments.dry_run else "sent back and acknowledged"
    sys.stderr.write(
        f"{done.replayed} {verb}; {done.over_limit} skipped because they were already replayed "
        f"dead_letters.max_replays = {settings.dead_letters.max_replays} times; {done.without_topic} skipped because "
        "their headers do not name the topic they came from\n"
    )
    for left in done.refused:
        record = left.letter.record
        sys.stderr.write(
            f"left, since {left.topic} does not take it ({left.reason}): "
            f"{settings.dead_letters.topic}/{record.partition()}/{record.offset()}\n"
        )
    group = replay_group(settings)
    if done.moves_position:
        sys.stderr.write(
            f"the next replay continues after these (group {group}); use --from-beginning to start from the first\n"
        )
    elif not arguments.dry_run:
        sys.stderr.write(
            f"the position of group {group} was not moved, so that what the filter left out can still be replayed; a "
            "replay without a filter will send these again as well\n"
        )


def _time(text: str) -> str:
    """Parse a time into the format of `dlq.failed_at`, so that strings sort as times do."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = "write a time such as 2026-11-22 or 2026-11-22T12:00:00Z"
        raise argparse.ArgumentTypeError(message) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
