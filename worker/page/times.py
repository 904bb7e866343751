"""Times as the page exchanges them: milliseconds since the epoch inside, RFC 3339 in UTC outside."""

from schemas.timestamps import rfc3339

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def written(milliseconds: float) -> str:
    """The time as RFC 3339 in UTC; an empty string for one that no calendar has."""
    return (rfc3339(int(milliseconds)) or b"").decode()
