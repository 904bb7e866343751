"""One label event in full, as it is in its topic; its text only where the reader has asked for it."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from worker.documents.texts import text_reader
from worker.documents.unreadable import Unreadable
from worker.events.headers import headers_of
from worker.json_pointer import pointer_tokens
from worker.page.bytes_shown import shown
from worker.page.event_reading import read_label_event
from worker.page.kept_event import EventKeeper
from worker.page.unknown import Json
from worker.settings import Settings
from worker.types import Record

MOST_TEXT = 1_048_576
"""Characters of a text that are sent to a browser."""

_LONG = 100
"""A string of a comment that is longer may hold its text in other words, and is withheld with it."""

_MOST_DEPTH = 50
_MOST_HEADERS = 200


class EventDetail:
    """Makes the answer for one record.

    Args:
        settings: Where a comment has its text.
        read_event: The JSON of a label event's record.
    """

    def __init__(self, settings: Settings, read_event: Callable[[Record], bytes]) -> None:
        self._settings = settings
        self._read_event = read_event
        self._read_text = text_reader(settings.input)

    def of(self, record: Record, *, with_text: bool) -> dict[str, Json]:
        """The record's event, headers, scores with their thresholds, and spans."""
        kept = EventKeeper(self._read_event, self._settings.input).keep(record)
        summary = {} if kept is None else kept.summary(with_text=with_text)
        headers = [
            {"name": shown(name.encode(errors="replace")), "value": shown(value)}
            for name, value in headers_of(record)[:_MOST_HEADERS]
        ]
        answer: dict[str, Json] = {
            "summary": summary,
            "event": None,
            "headers": headers,
            "scores": [],
            "spans": [],
            "text": None,
        }
        event, _ = read_label_event(record, self._read_event)
        if event is None:
            if with_text:
                answer["event"] = {"value": shown(record.value(), 4 * 1024)}
            return answer
        document = json.loads(self._read_event(record), parse_constant=str, parse_float=_finite, parse_int=_whole)
        if not with_text:
            pointers = [*self._settings.input.text_pointer]
            if event.reasons is not None and event.reasons.text_pointer is not None:
                pointers.append(event.reasons.text_pointer)
            document["comment"] = without_texts(document["comment"], pointers)
        answer["event"] = document
        answer["scores"] = [
            {
                "label": label,
                "score": score,
                "review": event.thresholds.values.get(label),
                "act": event.thresholds.act.get(label),
            }
            for label, score in event.scores.items()
        ]
        if event.reasons is not None:
            answer["spans"] = [
                {"label": label, **span.model_dump()}
                for label, found in event.reasons.labels.items()
                for span in found.spans
            ]
        if with_text:
            answer["text"] = self._text(event.comment)
        return answer

    def _text(self, comment: dict[str, Any]) -> str | None:
        try:
            return self._read_text(comment)[:MOST_TEXT]
        except Unreadable:
            return None


def _finite(text: str) -> float | str:
    """A number as JSON can write it again: 1e999 is infinite as a float."""
    number = float(text)
    return number if math.isfinite(number) else text


def _whole(text: str) -> int | str:
    """A whole number; one of thousands of digits as the text that it is."""
    return int(text) if len(text) <= _LONG else text


def without_texts(comment: Any, pointers: Sequence[str]) -> Any:
    """The comment with the texts at these pointers, and every other long string, replaced by how long they are."""
    paths = {tuple(pointer_tokens(pointer)) for pointer in pointers}

    def walk(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, str):
            return f"[{len(value)} characters]" if path in paths or len(value) > _LONG else value
        if len(path) > _MOST_DEPTH:
            return "[too deep to show]"
        if isinstance(value, dict):
            return {str(name)[:_LONG]: walk(one, (*path, str(name))) for name, one in value.items()}
        if isinstance(value, list):
            return [walk(one, (*path, str(number))) for number, one in enumerate(value)]
        return value

    return walk(comment, ())
