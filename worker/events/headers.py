"""Reading the headers of a record, the one part of it that the client can fail to read.

Kafka's header names are UTF-8 by its protocol, but nothing checks it: producers in Go, C or PHP write what they are
given. For a name that is not, confluent-kafka's C code returns a list with a hole in it and an exception beside it. The
interpreter turns that into a `SystemError`, except in code that runs often: there Python's specialised call (3.11 and
later) passes the list on, and the process ends where the hole is looked at. So the method is called in a way that is
never specialised, and a list that can be read takes the place of the one with the hole.
"""

from operator import methodcaller
from typing import Any

from worker.types import Headers, Record

LOST_HEADER = "dlq.headers_lost"
"""Stands in for the headers that could not be read."""

_read: Any = methodcaller("headers")


def headers_of(record: Record) -> Headers:
    """The record's headers; only `dlq.headers_lost` where they can't be read. To be used for every read of them."""
    try:
        found: Headers = _read(record) or ()
    except (SystemError, UnicodeDecodeError):
        stand_in = [(LOST_HEADER, b"true")]
        message: Any = record
        message.set_headers(stand_in)
        return stand_in
    return found
