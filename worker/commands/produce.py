"""`sluice produce`: sends comments from a file to the input topic."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import add_column_arguments, layout
from worker.errors import SettingsInvalid, SluiceError
from worker.settings import Format, Settings

if TYPE_CHECKING:
    from worker.terminal.progress import Advance

EXAMPLE = "sluice produce comments.csv --bootstrap-servers broker:9092"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="CSV with a `text` column, JSON lines, or plain lines; - for stdin (default: the sample comments)",
    )
    add_column_arguments(parser)


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Send every comment, and wait until the broker has acknowledged all of them."""
    if settings.input.format is not Format.JSON:
        message = (
            f"input.format = {settings.input.format}, and `sluice produce` writes JSON only: use your own producer"
        )
        raise SettingsInvalid(message)
    from worker.comments.file_comment import DEFAULT_LAYOUT
    from worker.comments.reading import read_comments
    from worker.comments.samples import SAMPLE_COMMENTS
    from worker.kafka.comment_sender import CommentSender
    from worker.terminal.progress import progress

    path = arguments.file or SAMPLE_COMMENTS
    where = layout(arguments, settings) if arguments.file else DEFAULT_LAYOUT
    # A file is read twice: first to count its comments and to check that all of them can be read, before any is sent. A
    # pipe, such as <(zcat comments.csv.gz) or /dev/stdin, can be read only once.
    total = sum(1 for _ in read_comments(path, where)) if path.is_file() else None
    sender = CommentSender(settings)
    try:
        with progress("comments", total) as advance:
            shown = 0
            for comment in read_comments(path, where):
                sender.send(comment)
                shown = _show(advance, sender.delivered, shown)
            while sender.settle():
                shown = _show(advance, sender.delivered, shown)
            _show(advance, sender.delivered, shown)
    finally:
        sender.close()
    sys.stdout.write(f"{sender.delivered} comments sent to topic {sender.topic}\n")
    if total is not None and sender.delivered != total:
        message = f"{path} had {total} comments when it was counted: it changed while it was read"
        raise SluiceError(message)


def _show(advance: "Advance", delivered: int, shown: int) -> int:
    """Advance the progress by what has been acknowledged since, and return how much is shown now."""
    if delivered > shown:
        advance(delivered - shown)
    return delivered
