"""A count on the command line."""

import argparse


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
