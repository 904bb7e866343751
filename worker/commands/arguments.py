"""Arguments that several commands share, and their types."""

import argparse
from pathlib import Path


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
        type=_weight,
        default=1.0,
        metavar="N",
        help="weight of a text without any label, if the file holds one of every N clean texts (default: 1)",
    )


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        message = "write a number above 0"
        raise argparse.ArgumentTypeError(message)
    return value
