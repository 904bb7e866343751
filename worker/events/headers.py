"""Reads the headers of a record, the one part of it that the client can fail to read.

Kafka's protocol defines header names as UTF-8, but nothing checks it: producers in Go, C or PHP write what they are
given. For a name that is not UTF-8, confluent-kafka's C code returns a list with an empty slot and also sets an
exception. The interpreter turns that into a `SystemError`, except in code that runs often: there Python's specialised
call (3.11 and later) passes the list on, and the process crashes where the empty slot is read. So the method is called
in a way that is never specialised, and a readable list replaces the broken one.
"""

from operator import methodcaller
from typing import Any

from worker.types import Headers, Record

LOST_HEADER = "dlq.headers_lost"
"""Replaces headers that could not be read."""

_read: Any = methodcaller("headers")


def headers_of(record: Record) -> Headers:
    """The record's headers; only `dlq.headers_lost` if they can't be read. Use this for every read of them."""
    try:
        found: Headers = _read(record) or ()
    except (SystemError, UnicodeDecodeError):
        stand_in = [(LOST_HEADER, b"true")]
        message: Any = record
        message.set_headers(stand_in)
        return stand_in
    return found
