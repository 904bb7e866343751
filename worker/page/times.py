"""Times as the page exchanges them: milliseconds since the epoch inside, RFC 3339 in UTC outside."""

import re
from datetime import datetime

from schemas.timestamps import rfc3339

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def written(milliseconds: float) -> str:
    """The time as RFC 3339 in UTC; an empty string for one that no calendar has."""
    return (rfc3339(int(milliseconds)) or b"").decode()


def milliseconds_of(text: str) -> int | None:
    """The time that RFC 3339 writes so; None for any other text, and for a time before 1970."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        milliseconds = round(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):  # no day of the calendar
        return None
    return milliseconds if written(milliseconds) else None
