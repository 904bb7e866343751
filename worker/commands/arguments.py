"""Arguments that several commands have, and what they may be."""

import argparse
from pathlib import Path


def positive(text: str) -> int:
    """A whole number above 0, as an argument's type.

    Raises:
        argparse.ArgumentTypeError: It is something else.
    """
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        message = "write a whole number above 0"
        raise argparse.ArgumentTypeError(message)
    return number


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that say which texts, and what they count."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="CSV with a `text` column and 0/1 columns of labels, or JSON lines"
    )
    parser.add_argument(
        "--clean-weight",
        type=_weight,
        default=1.0,
        metavar="N",
        help="what a text without any label counts, when the file holds one of every N clean texts (default: 1)",
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
