"""`sluice dead-letters show|replay`: reads dead letters; sends them back to their topic, with a hop limit."""

import argparse
import json
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
    """Arguments of the command."""
    parser.add_argument("action", choices=("show", "replay"), help="show: one line a letter; replay: send back")
    parser.add_argument("--error", action="append", default=[], metavar="KIND", help="only these faults (InvalidJson)")
    parser.add_argument("--stage", action="append", default=[], metavar="STAGE", help="only these stages (DECODE)")
    parser.add_argument(
        "--since", type=_time, metavar="TIME", help="failed then (ISO 8601) or later, replayed before or not"
    )
    parser.add_argument("--until", type=_time, metavar="TIME", help="failed before this time")
    parser.add_argument("--from-beginning", action="store_true", help="replay: also what was replayed before")
    parser.add_argument("--topic", metavar="TOPIC", help="replay: send here instead of where each was read from")
    parser.add_argument("--dry-run", action="store_true", help="replay: only tell what would be sent")
    parser.add_argument("--json", action="store_true", help="one JSON object a letter")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Show or replay what is in the dead letter topic now; nothing is taken out of it."""
    from worker.kafka.dead_letters.reader import Filter, read_dead_letters  # noqa: PLC0415 - only here is a client needed
    from worker.kafka.dead_letters.replay import replay_dead_letters  # noqa: PLC0415
    from worker.kafka.dead_letters.replay_position import replay_group  # noqa: PLC0415

    chosen = Filter(
        frozenset(arguments.error), frozenset(arguments.stage), arguments.since or "", arguments.until or ""
    )
    render = _json_line if arguments.json else _line

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
        f"{done.replayed} {verb}; {done.over_limit} left for having been replayed dead_letters.max_replays = "
        f"{settings.dead_letters.max_replays} times; {done.without_topic} left for not saying where they came from\n"
    )
    group = replay_group(settings)
    if done.moves_position:
        sys.stderr.write(f"the next replay goes on behind all of these (group {group}); --from-beginning starts anew\n")
    elif not arguments.dry_run:
        sys.stderr.write(
            f"the position of group {group} was not moved, so that what the filter left out can still be replayed: a "
            "replay without a filter sends these again, too\n"
        )


def _line(letter: "DeadLetter") -> str:
    where = f"{letter.topic}/{letter.partition}/{letter.offset}"
    hops = f", replayed {letter.replays} times" if letter.replays else ""
    return f"{letter.failed_at or '-'}  {where:<28}  {letter.stage}/{letter.error}: {letter.reason}{hops}"


def _json_line(letter: "DeadLetter") -> str:
    """What the headers say; the record's own bytes stay in the topic."""
    values = {name: value for name, value in letter._asdict().items() if name != "record"}
    return json.dumps(values, ensure_ascii=False)


def _time(text: str) -> str:
    """A time as `dlq.failed_at` is written, so that texts compare as times do."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = "write a time such as 2026-11-22 or 2026-11-22T12:00:00Z"
        raise argparse.ArgumentTypeError(message) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
