"""The trace that a label event belongs to: that of its comment.

W3C Trace Context (https://www.w3.org/TR/trace-context/) defines what is valid: an invalid `traceparent` carries no
trace and is dropped with its `tracestate`; an invalid `tracestate` is dropped on its own.
"""

import re

from worker.types import Headers

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
TRACESTATE_MEMBERS = 32

_EVENT = "ce_"
_KEYS = frozenset(prefix + name for prefix in ("", _EVENT) for name in (TRACEPARENT, TRACESTATE))

_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-[\x20-\x7e]*)?"
)
_MEMBER = re.compile(
    rb"(?P<key>[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    rb"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


def trace_headers(headers: Headers | None) -> list[tuple[str, bytes]]:
    """The trace headers to put on the outgoing record, none when the incoming one carries no valid trace.

    Keys match in any case and are returned in lower case; the last of several duplicates counts, as it is the one its
    writer meant. Values are the incoming bytes, unchanged: the worker is a link in the trace, not a span.

    A CloudEvent in binary mode has the trace that it began in as attributes, `ce_traceparent` and `ce_tracestate` (its
    extension "Distributed Tracing"). The record's own headers are those of the last hop, and go first.
    """
    if not headers:
        return []
    found = {key: value for name, value in headers if (key := name.lower()) in _KEYS}
    prefix = "" if TRACEPARENT in found else _EVENT
    parent, state = found.get(prefix + TRACEPARENT), found.get(prefix + TRACESTATE)
    if parent is None or not _valid_traceparent(parent):
        return []
    if state is None or not _valid_tracestate(state):
        return [(TRACEPARENT, parent)]
    return [(TRACEPARENT, parent), (TRACESTATE, state)]


def _valid_traceparent(value: bytes) -> bool:
    match = _TRACEPARENT.fullmatch(value)
    # Version 00 ends after the flags; later versions may carry more, which is passed on unread.
    return match is not None and (match["version"] != b"00" or match["more"] is None)


def _valid_tracestate(value: bytes) -> bool:
    members = [member for part in value.split(b",") if (member := part.strip(b" \t"))]
    if not members or len(members) > TRACESTATE_MEMBERS:
        return False
    matches = [_MEMBER.fullmatch(member) for member in members]
    keys = {match["key"] for match in matches if match}
    return len(keys) == len(members)
