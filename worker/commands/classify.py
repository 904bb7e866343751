"""`sluice classify`: labels texts without Kafka."""

import argparse
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from worker.errors import ModelFault, SettingsInvalid
from worker.settings import Settings
from worker.types import Unscorable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXAMPLE = 'sluice classify "You are a stupid, idiotic jerk. I hate you."'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("text", nargs="*", metavar="TEXT", help="texts to label")
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="CSV with a `text` column, JSON lines, or plain lines; - for stdin"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object for each text, in input order")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print the labels of each text, in input order.

    Raises:
        SettingsInvalid: There are no texts, or texts from two sources.
        ModelFault: Some texts could not be scored; each has a line that says why, and the others are labelled.
    """
    if bool(arguments.text) == bool(arguments.input):
        message = 'give either texts as arguments or a file with --input, for example: sluice classify "Good morning"'
        raise SettingsInvalid(message)

    from worker.classifier import Classifier
    from worker.comments.reading import read_comments
    from worker.stream.isolation import classify_isolating
    from worker.terminal.rendering import failure_json_line, failure_line, json_line, text_line

    classifier = Classifier.load(settings.model)
    write, write_failure = (json_line, failure_json_line) if arguments.json else (text_line, failure_line)
    texts = arguments.text or (comment.text for comment in read_comments(arguments.input))
    failures = 0
    for batch in _batches(texts, settings.batch.max_records):
        for text, found in zip(batch, classify_isolating(classifier, batch), strict=True):
            if isinstance(found, Unscorable):
                failures += 1
                sys.stdout.write(write_failure(text, found) + "\n")
            else:
                sys.stdout.write(write(text, found, classifier) + "\n")
        sys.stdout.flush()
    if failures:
        message = f"{failures} of the texts could not be scored; the line of each says why"
        raise ModelFault(message)


def _batches(texts: "Iterable[str]", size: int) -> "Iterator[list[str]]":
    remaining = iter(texts)
    while batch := list(islice(remaining, size)):
        yield batch
