"""Change events of Debezium: a row of a table, or a document of a collection, after a change.

The event is the value itself, or the `payload` beside its `schema` (JsonConverter with schemas). MongoDB's connector
writes `after` as a string of JSON. https://debezium.io/documentation/reference/stable/connectors/postgresql.html
"""

from typing import Any

from worker.documents.envelopes.connect import from_connect, has_payload
from worker.documents.lossless_json import parse
from worker.documents.unreadable import Unreadable, type_name

UNAVAILABLE = "__debezium_unavailable_value"
"""What Debezium writes for a large value that did not change, and that the database therefore did not log."""

_ROWS = frozenset({"c", "u", "r"})
_DELETIONS = frozenset({"d", "t"})


def from_debezium(document: dict[str, Any]) -> dict[str, Any] | None:
    """The row after it was created, updated, or read by a snapshot; None for a deletion or a truncation.

    Raises:
        Unreadable: It is no change event, or one without a row.
    """
    change = from_connect(document) if has_payload(document) else document
    if change is None:
        return None
    operation = change.get("op")
    if type(operation) is not str:
        error = "NotAChangeEvent"
        raise Unreadable(error, "there is no string at /op or /payload/op, so this is no change event of Debezium")
    if operation in _DELETIONS:
        return None
    if operation not in _ROWS:
        error = "OperationWithoutRow"
        raise Unreadable(error, "the change event's op is none of c, u, r, d and t, so it has no row")
    after = change.get("after")
    if type(after) is str:
        try:
            after = parse(after.encode())
        except ValueError:
            error = "RowInvalid"
            raise Unreadable(error, "the string at /after is not JSON") from None
    if type(after) is not dict:
        error = "RowNotAnObject"
        raise Unreadable(error, f"the value at /after is {type_name(after)}; a JSON object is required")
    return after
