"""From a record to a comment, a rejection or a skipped tombstone. Never raises for what a record holds.

JSON is parsed strictly: no NaN or infinities, no repeated names (a reader that takes the first and one that takes the
last would see different texts), no lone surrogates, at most 200 levels. The parser is jiter, pydantic's own.
"""

import re
from typing import Any

import jiter

from worker.json_pointer import MISSING, resolver
from worker.settings import InputSettings
from worker.types import Assignment, Comment, Decoded, Record, Rejected, Skipped, Stage

_POSITION = re.compile(r"at line \d+ column \d+$")

_PARSER_ERRORS = (
    ("Detected duplicate key", "DuplicateName", "the JSON object repeats a name"),
    ("recursion limit exceeded", "NestedTooDeep", "the JSON is nested more than 200 levels deep"),
    ("invalid unicode code point", "InvalidUtf8", "the value is not valid UTF-8"),
    ("hex escape", "LoneSurrogate", "a \\u escape is broken or half of a surrogate pair"),
    ("surrogate", "LoneSurrogate", "a \\u escape is broken or half of a surrogate pair"),
)

_JSON_TYPES: dict[type, str] = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}


class Decoder:
    """Reads comments as the input settings say."""

    def __init__(self, settings: InputSettings) -> None:
        self._max_bytes = settings.max_value_bytes
        self._id_pointer = settings.id_pointer
        self._text_pointer = settings.text_pointer
        self._find_id = resolver(settings.id_pointer)
        self._find_text = resolver(settings.text_pointer)

    def decode(self, record: Record, assignment: Assignment) -> Decoded:
        """A `Comment`, `Rejected` or `Skipped` for one record and the assignment it was polled under."""
        value = record.value()
        if value is None:
            return Skipped(record, assignment)
        if len(value) > self._max_bytes:
            reason = f"the value has {len(value)} bytes; the limit input.max_value_bytes is {self._max_bytes}"
            return Rejected(record, assignment, Stage.DECODE, "ValueTooLarge", reason)
        try:
            document = jiter.from_json(value, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
        except ValueError as error:
            return Rejected(record, assignment, Stage.DECODE, *_describe(error))
        if type(document) is not dict:
            reason = f"the value is {_type_name(document)}, not a JSON object"
            return Rejected(record, assignment, Stage.VALIDATE, "NotAnObject", reason)
        comment_id = self._find_id(document)
        text = self._find_text(document)
        if type(comment_id) is str and type(text) is str:
            return Comment(record, assignment, comment_id, text)
        if type(comment_id) is not str:
            return self._reject_field(record, assignment, "Id", self._id_pointer, comment_id)
        return self._reject_field(record, assignment, "Text", self._text_pointer, text)

    def _reject_field(self, record: Record, assignment: Assignment, name: str, pointer: str, found: Any) -> Rejected:
        if found is MISSING:
            error, reason = f"{name}Missing", f"there is nothing at {pointer}; a string is required"
        else:
            error, reason = f"{name}NotAString", f"the value at {pointer} is {_type_name(found)}; a string is required"
        return Rejected(record, assignment, Stage.VALIDATE, error, reason)


def _describe(error: ValueError) -> tuple[str, str]:
    """Class and reason of a parser's error; only its position is kept, since its message can quote the payload."""
    message = str(error)
    position = _POSITION.search(message)
    where = f" {position.group()}" if position else ""
    for sign, error_class, reason in _PARSER_ERRORS:
        if sign in message:
            return error_class, reason + where
    return "InvalidJson", "the value is not valid JSON" + where


def _type_name(value: Any) -> str:
    return "null" if value is None else _JSON_TYPES.get(type(value), "a number")
