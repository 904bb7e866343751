"""`sluice dead-letters show|export|send|replay`: what could not be labelled, looked at, corrected and sent back."""

import argparse
import json
import random
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import positive, positive_number
from worker.errors import SettingsInvalid
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.kafka.dead_letters.reader import DeadLetter, Filter

EXAMPLE = "sluice dead-letters show --summary"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "action",
        choices=("show", "export", "send", "replay"),
        help="show: a line each; export: to a file, to be corrected; send: that file; replay: as they are",
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="export: a new file; send: a corrected one")
    chosen = parser.add_argument_group("which letters (show, export, replay)")
    chosen.add_argument("--error", action="append", default=[], metavar="KIND", help="only these errors (InvalidJson)")
    chosen.add_argument("--stage", action="append", default=[], metavar="STAGE", help="only these stages (DECODE)")
    chosen.add_argument("--since", type=_time, metavar="TIME", help="failed at this time (ISO 8601) or later")
    chosen.add_argument("--until", type=_time, metavar="TIME", help="failed before this time")
    chosen.add_argument("--limit", type=positive, metavar="N", help="at most N of them")
    show = parser.add_argument_group("show")
    show.add_argument("--summary", action="store_true", help="count, first and last, by stage and error")
    show.add_argument("--headers", action="store_true", help="also key and headers")
    show.add_argument("--value", action="store_true", help="also the record itself: comments are personal data")
    show.add_argument("--json", action="store_true", help="one JSON object a line")
    replay = parser.add_argument_group("replay")
    replay.add_argument("--dry-run", action="store_true", help="only show what would be sent (send, too)")
    replay.add_argument("--rate", type=positive_number, metavar="N", help="at most N letters a second")
    replay.add_argument("--topic", metavar="TOPIC", help="send to this topic instead of the original one")
    replay.add_argument(
        "--from-beginning", action="store_true", help="include what was replayed before; so does --since"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Do one of the four with what is in the dead letter topic now; nothing is removed from it."""
    from worker.kafka.dead_letters.reader import Filter

    chosen = Filter(
        frozenset(arguments.error), frozenset(arguments.stage), arguments.since or "", arguments.until or ""
    )
    if arguments.file is not None and arguments.action in ("show", "replay"):
        message = f"{arguments.action} takes no file; did you mean `sluice dead-letters export` or `send`?"
        raise SettingsInvalid(message)
    if arguments.action == "show":
        _show(arguments, settings, chosen)
    elif arguments.action == "export":
        _export(arguments, settings, chosen)
    elif arguments.action == "send":
        _send(arguments, settings)
    else:
        _replay(arguments, settings, chosen)


def _show(arguments: argparse.Namespace, settings: Settings, chosen: "Filter") -> None:
    from itertools import islice

    from worker.kafka.dead_letters.exported import export_line
    from worker.kafka.dead_letters.reader import read_dead_letters
    from worker.terminal.letters import kinds_of, letter_lines, summary_lines
    from worker.terminal.rendering import counted, dead_letter_json_line

    letters = islice(read_dead_letters(settings, chosen, clock=time.monotonic), arguments.limit)
    if arguments.summary:
        kinds = kinds_of(letters)
        lines = (json.dumps(asdict(kind)) for kind in kinds) if arguments.json else summary_lines(kinds)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        shown = sum(kind.count for kind in kinds)
    else:
        shown = 0
        whole = arguments.value or arguments.headers
        for letter in letters:
            if arguments.json:
                line = export_line(letter, settings.dead_letters.topic) if whole else dead_letter_json_line(letter)
                sys.stdout.write(line + "\n")
            else:
                lines = letter_lines(letter, with_headers=arguments.headers, with_value=arguments.value)
                sys.stdout.writelines(f"{line}\n" for line in lines)
            shown += 1
    sys.stderr.write(f"{counted(shown, 'dead letter')}\n")


def _export(arguments: argparse.Namespace, settings: Settings, chosen: "Filter") -> None:
    from itertools import islice

    from worker.kafka.dead_letters.exported import export_line
    from worker.kafka.dead_letters.reader import read_dead_letters
    from worker.terminal.rendering import counted

    letters = islice(read_dead_letters(settings, chosen, clock=time.monotonic), arguments.limit)
    path = arguments.file
    try:
        out = sys.stdout if path is None else path.open("x", encoding="utf-8")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Name a new file."
        raise SettingsInvalid(message) from None
    exported = 0
    try:
        for letter in letters:
            out.write(export_line(letter, settings.dead_letters.topic) + "\n")
            exported += 1
    finally:
        if path is not None:
            out.close()
    then = f" to {path}; correct the values and send them: sluice dead-letters send {path}" if path is not None else ""
    sys.stderr.write(f"{counted(exported, 'dead letter')} exported{then}\n")


def _send(arguments: argparse.Namespace, settings: Settings) -> None:
    from worker.kafka.dead_letters.exported import read_corrected
    from worker.kafka.dead_letters.returns import Returns
    from worker.terminal.rendering import counted

    if arguments.file is None:
        message = "name the file with the corrected letters: sluice dead-letters send corrected.jsonl"
        raise SettingsInvalid(message)
    records = list(read_corrected(arguments.file))  # every line is read before any is sent
    if not arguments.dry_run:
        returns = Returns(settings)
        for record in records:
            returns.send_record(record._replace(topic=arguments.topic or record.topic))
        returns.settle()
    verb = "would be sent" if arguments.dry_run else "sent and acknowledged"
    sys.stderr.write(f"{counted(len(records), 'corrected letter')} {verb}\n")


def _replay(arguments: argparse.Namespace, settings: Settings, chosen: "Filter") -> None:
    from worker.kafka.dead_letters.replay import replay_dead_letters
    from worker.kafka.dead_letters.replay_position import replay_group
    from worker.terminal.rendering import counted, dead_letter_json_line, dead_letter_row

    render = dead_letter_json_line if arguments.json else dead_letter_row

    def write(letter: "DeadLetter") -> None:
        sys.stdout.write(render(letter) + "\n")

    done = replay_dead_letters(
        settings,
        chosen,
        clock=time.monotonic,
        sleep=time.sleep,
        uniform=random.uniform,
        from_beginning=arguments.from_beginning,
        dry_run=arguments.dry_run,
        topic=arguments.topic,
        limit=arguments.limit,
        rate=arguments.rate,
        progress=write,
    )
    verb = "would be sent back" if arguments.dry_run else "sent back and acknowledged"
    most = counted(settings.dead_letters.max_replays, "time")
    sys.stderr.write(
        f"{done.replayed} {verb}; {done.over_limit} skipped because they were already replayed {most} "
        f"(dead_letters.max_replays); {done.without_topic} skipped because their headers do not name the topic they "
        "came from\n"
    )
    if done.over_limit:
        sys.stderr.write(
            "sending the same bytes again will not help those: `sluice dead-letters export` them, correct, send\n"
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
