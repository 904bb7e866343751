"""`sluice classify`: labels texts without Kafka."""

import argparse
import sys
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.commands.arguments import add_column_arguments, layout
from worker.errors import ModelFault, SettingsInvalid
from worker.settings import ReasonMethod, Settings
from worker.types import Unscorable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from worker.comments.file_comment import FileComment

EXAMPLE = 'sluice classify "You are a stupid, idiotic jerk. I hate you."'


_ASKED: dict[str, Any] = {"reasons": ReasonMethod.ON}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "text", nargs="*", metavar="TEXT", help="texts to label; write -- before one that begins with a dash"
    )
    parser.add_argument(
        "--input", type=Path, metavar="FILE", help="CSV with a `text` column, JSON lines, or plain lines; - for stdin"
    )
    add_column_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each text, in input order")
    parser.add_argument("--with-text", action="store_true", help="repeat the text in --json and --output")
    parser.add_argument(
        "--reasons",
        action="store_true",
        help="show the words that carry each label, whatever model.reasons says (in a file of columns: as JSON)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write to a new .csv, .jsonl or .parquet file instead"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print the labels of each text, in input order, or write them to a file.

    Raises:
        SettingsInvalid: There are no texts, or texts from two sources, or the output cannot be written.
        ModelFault: Some texts could not be scored; each has a line that says why, and the others are labelled.
    """
    if bool(arguments.text) == bool(arguments.input):
        message = 'give either texts as arguments or a file with --input, for example: sluice classify "Good morning"'
        raise SettingsInvalid(message)

    from worker.classifier import Classifier
    from worker.stream.isolation import classify_isolating
    from worker.terminal.progress import progress
    from worker.terminal.results import results_file, results_on_stdout

    classifier = Classifier.load(settings.model, **(_ASKED if arguments.reasons else {}))
    if arguments.output is None:
        results = results_on_stdout(
            classifier, as_json=arguments.json, with_text=arguments.with_text, with_reasons=arguments.reasons
        )
    else:
        results = results_file(
            arguments.output,
            classifier,
            classifier.labels,
            with_text=arguments.with_text,
            with_reasons=arguments.reasons,
        )
    total = failures = 0
    with progress("texts", None) if arguments.output else nullcontext(lambda _: None) as advance:
        for batch in _batches(_comments(arguments, settings), settings.batch.max_records):
            scored = classify_isolating(classifier, [comment.text for comment in batch])
            for comment, found in zip(batch, scored, strict=True):
                failures += isinstance(found, Unscorable)
                results.write(comment, found)
            sys.stdout.flush()
            total += len(batch)
            advance(len(batch))
    results.close()
    if arguments.input is not None and not total:
        sys.stderr.write(f"no comments in {arguments.input}\n")
    elif arguments.output is not None:
        sys.stderr.write(f"{total} results written to {arguments.output}\n")
    if failures:
        message = f"{failures} of the texts could not be scored; the line of each says why"
        raise ModelFault(message)


def _comments(arguments: argparse.Namespace, settings: Settings) -> "Iterable[FileComment]":
    from worker.comments.file_comment import FileComment
    from worker.comments.reading import read_comments
    from worker.documents.texts import joiner

    if arguments.input is not None:
        return read_comments(arguments.input, layout(arguments, settings), blank_lines=True)
    joined = joiner(settings.input)
    return (FileComment(str(number), joined([text]), {}, number) for number, text in enumerate(arguments.text, 1))


def _batches(comments: "Iterable[FileComment]", size: int) -> "Iterator[list[FileComment]]":
    remaining = iter(comments)
    while batch := list(islice(remaining, size)):
        yield batch
