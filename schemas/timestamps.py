"""Timestamps as RFC 3339 writes them, in UTC with milliseconds."""

from datetime import UTC, datetime
from functools import lru_cache

_END_OF_CALENDAR_MS = 253_402_300_800_000  # the year 10000, which RFC 3339 cannot write


@lru_cache(maxsize=1024)
def rfc3339(milliseconds: int) -> bytes | None:
    """`2026-11-22T12:00:00.042Z` for milliseconds since the epoch.

    None for what no RFC 3339 timestamp says: before 1970 or after 9999. A producer may put any 64-bit
    number into its record. The latest are kept: records come in runs of the same few milliseconds.
    """
    if not 0 <= milliseconds < _END_OF_CALENDAR_MS:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return b"%b.%03dZ" % (_second(seconds), rest)


@lru_cache(maxsize=256)
def _second(seconds: int) -> bytes:
    """Date and time to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
