"""What the addresses of the API may say, and what is answered where they say something else."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from worker.errors import SluiceError
from worker.page.once_more import NoSuchRecord
from worker.page.sample import SPANS

MOST_ROWS = 500
FIRST_ROWS = 50

_MOST_DIGITS = 19
"""An offset has no more digits than this."""

Query = Mapping[str, str]
T = TypeVar("T")


class BadRequest(Exception):
    """The request is not understood; the message says what is expected (400)."""


class NotFound(Exception):
    """There is no such thing (404)."""


class Busy(Exception):
    """As much is being done as may be at a time (503)."""


class NotAllowed(Exception):
    """The page is read-only, or this can't be done now (403)."""


def asked(call: Callable[[], T]) -> T:
    """What a question to the cluster brought.

    Raises:
        NotFound: There is no such record.
        NotAllowed: The cluster does not answer, or refuses.
    """
    try:
        return call()
    except NoSuchRecord as error:
        raise NotFound(str(error)) from None
    except OverflowError:  # in the client, before it asks
        message = "no partition or offset is as large as this"
        raise NotFound(message) from None
    except SluiceError as error:
        raise NotAllowed(str(error)) from None


def wants_text(query: Query) -> bool:
    """Whether the reader has asked to see texts."""
    return query.get("text") == "1"


def limit_of(query: Query) -> int:
    """How many rows are asked for.

    Raises:
        BadRequest: It is no number, or none are.
    """
    limit = whole(query, "limit", FIRST_ROWS)
    if limit < 1:
        message = "limit is a whole number above 0"
        raise BadRequest(message)
    return min(limit, MOST_ROWS)


def span_of(query: Query) -> str:
    """Which span of time is asked for.

    Raises:
        BadRequest: It is none that is kept.
    """
    span = query.get("span", "1h")
    if span not in SPANS:
        message = f"span is one of {', '.join(SPANS)}"
        raise BadRequest(message)
    return span


def whole(query: Query, name: str, default: int = sys.maxsize) -> int:
    """A whole number.

    Raises:
        BadRequest: It is none.
    """
    text = query.get(name) or str(default)
    if not is_number(text):
        message = f"{name} is a whole number"
        raise BadRequest(message)
    return int(text)


def share_of(query: Query, name: str) -> float | None:
    """A number from 0 to 1; None where it is left out.

    Raises:
        BadRequest: It is none.
    """
    text = query.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        message = f"{name} is a number from 0 to 1, or empty for a tier that is never reached"
        raise BadRequest(message)
    return value


def number_in(wanted: Mapping[str, Any], name: str, least: float, most: float) -> float:
    """A number in the body of a request.

    Raises:
        BadRequest: It is none, or not from `least` to `most`.
    """
    value = wanted.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        message = f"{name} is a number from {least:g} to {most:g}"
        raise BadRequest(message)
    return float(value)


def whole_in(wanted: Mapping[str, Any], name: str, most: int) -> int:
    """A whole number above 0 in the body of a request.

    Raises:
        BadRequest: It is none, or larger than `most`.
    """
    value = wanted.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        message = f"{name} is a whole number from 1 to {most}"
        raise BadRequest(message)
    return value


def is_number(text: str) -> bool:
    """Whether a text is a whole number that an offset may be."""
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
