"""`sluice demo`: the worker at work, with a broker and comments of its own."""

import argparse
import time
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from worker.commands.arguments import positive
from worker.settings import LogLevel, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.comments.reading import FileComment

EXAMPLE = "sluice demo --count 20"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="end after N comments; without it the samples come round until Ctrl-C, and a file is read to its end",
    )
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="your own comments: CSV, JSON lines or plain lines; - for stdin"
    )
    parser.add_argument("--json", action="store_true", help="label events on stdout, one JSON object a line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Send comments through an embedded broker and the real worker, and show what comes out."""
    from worker.classifier import Classifier  # noqa: PLC0415 - not needed for --help
    from worker.demo.demonstration import Demonstration  # noqa: PLC0415
    from worker.demo.display import choose_display  # noqa: PLC0415
    from worker.demo.tally import Tally  # noqa: PLC0415
    from worker.observability.logs import configure_logs  # noqa: PLC0415

    if settings.log.level is LogLevel.INFO:
        # What a service logs in the ordinary course would drown what the demo shows.
        configure_logs(settings.log.model_copy(update={"level": LogLevel.WARNING}))
    display = choose_display(as_json=arguments.json)
    tally = Tally(time.monotonic)
    try:
        display.status(f"loading {settings.model.id} ...")
        classifier = Classifier.load(settings.model)
        classifier.warm_up()
        display.status(f"starting an embedded broker and a worker with {classifier.identity.id} ...")
        Demonstration(settings, classifier, display, tally).run(_comments(arguments))
    except KeyboardInterrupt:
        pass  # the ordinary end of a demo without --count, also while the model is still being loaded
    finally:
        display.finish(tally)


def _comments(arguments: argparse.Namespace) -> "Iterable[FileComment]":
    from worker.comments.reading import read_comments  # noqa: PLC0415
    from worker.comments.samples import SAMPLE_COMMENTS  # noqa: PLC0415

    if arguments.input is not None:
        comments = read_comments(arguments.input)
    else:
        comments = chain.from_iterable(read_comments(path) for path in repeat(SAMPLE_COMMENTS))
    return islice(comments, arguments.count)
