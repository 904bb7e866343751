"""Reads a record of the output topic as a label event, or says why it is none.

The schema allows what JSON can write. The page computes with it and sends it on, so it takes less: a count of a
thousand digits overflows a rate, and a threshold that is not finite has no JSON of its own.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from schemas.label import LabelEvent
from worker.documents.unreadable import Unreadable
from worker.errors import Retryable, SluiceError
from worker.types import Record

MOST_LABELS = 64
MOST_NAME = 200
MOST_TEXT = 500
"""Characters of a text that are kept for lists; the whole is read from the topic again."""

_TOO_MANY = 2**63
_HASHED = re.compile(r"sha256:[0-9a-f]{64}")


def read_label_event(record: Record, read_event: Callable[[Record], bytes]) -> tuple[LabelEvent | None, str | None]:
    """The label event in a record, or the sentence that says why it holds none; the sentence quotes no value."""
    try:
        document = read_event(record)
    except (Retryable, SluiceError) as error:  # the registry does not answer
        return None, f"not readable as a label event: {str(error).splitlines()[0][:MOST_NAME]}"
    except Exception as error:  # whatever a format's library makes of a payload; its words may quote the value
        return None, f"not readable as a label event in the output's format ({type(error).__name__})"
    try:
        event = LabelEvent.model_validate_json(document)
    except ValidationError as error:
        return None, _problem(error)
    if len(event.scores) > MOST_LABELS or any(len(name) > MOST_NAME for name in (*event.scores, *event.labels)):
        return (
            None,
            f"a label event with more than {MOST_LABELS} labels, or with names longer than {MOST_NAME} characters",
        )
    if not all(0 <= score <= 1 for score in event.scores.values()):
        return None, "a label event with a score outside [0, 1]"
    if not all(map(math.isfinite, (*event.thresholds.values.values(), *event.thresholds.act.values()))):
        return None, "a label event with a threshold that is no finite number"
    if max(event.text.tokens, event.source.partition, event.source.offset) >= _TOO_MANY:
        return None, "a label event with a count or an offset that no topic has"
    if not set(event.labels) <= event.scores.keys():
        return None, "a label event with a label that has no score"
    sizes = (event.thresholds.values, event.thresholds.act, event.model_labels, event.tiers)
    if any(len(one) > MOST_LABELS for one in sizes) or len(event.thresholds.set) > MOST_NAME:
        return None, "a label event whose thresholds or names are larger than any model's"
    return event, None


def shown_text(event: LabelEvent, read_text: Callable[[Any], str]) -> str | None:
    """The beginning of the event's text; None where it was hashed or left out."""
    try:
        text = read_text(event.comment)
    except Unreadable:
        return None
    return None if _HASHED.fullmatch(text) else text[:MOST_TEXT]


def _problem(error: ValidationError) -> str:
    """The first fault, by the schema's own name of the field: a key or a value of the record may be anybody's words."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = str(first["loc"][0]) if first["loc"] and str(first["loc"][0]) in LabelEvent.model_fields else ""
    if first["type"] == "json_invalid":
        return "not JSON"
    what = {"missing": "is missing", "literal_error": "is none that this version knows"}.get(
        str(first["type"]), "is not of the kind that a label event has"
    )
    return f"not a label event of this schema: {place or 'its value'} {what}"
