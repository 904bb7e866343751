"""`sluice demo`: shows the worker at work, with its own broker and sample comments."""

import argparse
import time
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import add_column_arguments, layout, positive
from worker.settings import InputSettings, LogLevel, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.comments.file_comment import FileComment

EXAMPLE = "sluice demo --count 20"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="end after N comments; without it, the samples repeat until Ctrl-C, and a file is read to its end",
    )
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="your own comments: CSV, JSON lines or plain lines; - for stdin"
    )
    add_column_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print label events on stdout, one JSON object a line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Send comments through an embedded broker and the real worker, and show what comes out."""
    from worker.classifier import Classifier
    from worker.demo.closing import Closing
    from worker.demo.demonstration import BAD_RECORD, Demonstration
    from worker.demo.display import choose_display
    from worker.demo.tally import Tally
    from worker.observability.logs import configure_logs

    if settings.log.level is LogLevel.INFO:
        # A service's routine log lines would hide what the demo shows.
        configure_logs(settings.log.model_copy(update={"level": LogLevel.WARNING}))
    own_file = arguments.input is not None
    if not own_file:  # the samples are read as they are, whatever the user's own records look like
        settings = settings.model_copy(update={"input": InputSettings(topic=(*settings.input.topics, "comments")[0])})
    display = choose_display(Closing(settings, own_file=own_file), time.monotonic, as_json=arguments.json)
    tally = Tally(time.monotonic)
    try:
        display.status(f"loading {settings.model.id} ...")
        classifier = Classifier.load(settings.model)
        classifier.warm_up()
        display.status(f"starting an embedded broker and a worker with {classifier.identity.id} ...")
        bad = () if own_file or arguments.json else (BAD_RECORD,)
        Demonstration(settings, classifier, display, tally).run(_comments(arguments, settings), bad)
    except KeyboardInterrupt:
        pass  # the normal end of a demo without --count, even while the model is still loading
    finally:
        display.finish(tally)


def _comments(arguments: argparse.Namespace, settings: Settings) -> "Iterable[FileComment]":
    from worker.comments.reading import read_comments
    from worker.comments.samples import SAMPLE_COMMENTS

    if arguments.input is not None:
        comments = read_comments(arguments.input, layout(arguments, settings))
    else:
        comments = chain.from_iterable(read_comments(path) for path in repeat(SAMPLE_COMMENTS))
    return islice(comments, arguments.count)
