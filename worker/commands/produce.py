"""`sluice produce`: comments from a file to the input topic."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from worker.settings import Settings

if TYPE_CHECKING:
    from worker.terminal.progress import Advance

EXAMPLE = "sluice produce comments.csv --bootstrap-servers broker:9092"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="CSV with a `text` column, JSON lines, or plain lines; - for stdin; without it the sample comments",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Send every comment and wait until the broker has acknowledged each."""
    from worker.comments.reading import STDIN, read_comments  # noqa: PLC0415
    from worker.comments.samples import SAMPLE_COMMENTS  # noqa: PLC0415
    from worker.kafka.comment_sender import CommentSender  # noqa: PLC0415 - not needed for --help
    from worker.terminal.progress import progress  # noqa: PLC0415

    path = arguments.file or SAMPLE_COMMENTS
    # A file is read twice: once to know how long it is and that all of it can be read, before anything is sent.
    total = sum(1 for _ in read_comments(path)) if str(path) != STDIN else None
    sender = CommentSender(settings)
    try:
        with progress("comments", total) as advance:
            told = 0
            for comment in read_comments(path):
                sender.send(comment)
                told = _tell(advance, sender.delivered, told)
            while sender.settle():
                told = _tell(advance, sender.delivered, told)
            _tell(advance, sender.delivered, told)
    finally:
        sender.close()
    sys.stdout.write(f"{sender.delivered} comments are in {settings.input.topic}\n")


def _tell(advance: "Advance", delivered: int, told: int) -> int:
    """Advance by what has been acknowledged since; how much has been told of now."""
    if delivered > told:
        advance(delivered - told)
    return delivered
