"""Arguments that several commands share, and their types."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from worker.settings import Settings

if TYPE_CHECKING:
    from worker.comments.file_comment import Layout
    from worker.quality.labelled import LabelledFile


def positive(text: str) -> int:
    """Parse an argument that must be a whole number above 0.

    Raises:
        argparse.ArgumentTypeError: The text is anything else.
    """
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        message = "write a whole number above 0"
        raise argparse.ArgumentTypeError(message)
    return number


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a file of labelled texts and weight them."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="CSV with a `text` column and a 0/1 column for each label, or JSON lines",
    )
    parser.add_argument(
        "--clean-weight",
        type=positive_number,
        default=1.0,
        metavar="N",
        help="weight of a text without any label, if the file holds one of every N clean texts (default: 1)",
    )

    parser.add_argument(
        "--skip-unrated", action="store_true", help="leave out rows in which a label is -1: nobody rated them"
    )
    add_column_arguments(parser)


def add_column_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the columns of a file."""
    group = parser.add_argument_group("columns of a file", "JSON lines are read by input.id_pointer and text_pointer")
    group.add_argument("--text-column", metavar="NAME", help="column of the texts (default: text)")
    group.add_argument("--id-column", metavar="NAME", help="column of the ids (default: id, else file and line)")


def layout(arguments: argparse.Namespace, settings: Settings) -> "Layout":
    """Where a file has ids and texts: by the arguments for columns, by the settings for JSON."""
    from worker.comments.file_comment import Layout

    return Layout(settings.input, arguments.id_column, arguments.text_column)


def labelled_file(arguments: argparse.Namespace, settings: Settings) -> "LabelledFile":
    """The file of labelled texts that the arguments name."""
    from worker.quality.labelled import LabelledFile

    return LabelledFile(arguments.file, layout(arguments, settings), skip_unrated=arguments.skip_unrated)


def positive_number(text: str) -> float:
    """Parse a number above 0.

    Raises:
        argparse.ArgumentTypeError: The text is anything else.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        message = "write a number above 0"
        raise argparse.ArgumentTypeError(message)
    return value
