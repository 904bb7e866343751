"""The id of a comment: a field of the document, or, where it has none, the record's key or coordinates."""

import re
from collections.abc import Callable
from typing import Any

from worker.documents.unreadable import Unreadable, type_name
from worker.json_pointer import MISSING, resolver
from worker.settings import IdKind
from worker.types import IdSource, Record

MOST_DIGITS = 39
"""Digits of an integer id: those of 128 bits. Python writes longer ones slowly, and from 4301 on not at all."""

_TOO_LARGE = 10**MOST_DIGITS
_LONGEST_KEY_BYTES = 1024

_UUID = re.compile(
    r"(?:urn:uuid:)?(?P<open>\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})(?(open)\})",
    re.IGNORECASE,
)

_KINDS = {
    IdKind.STRING: ("IdNotAString", "a string"),
    IdKind.STRING_OR_INTEGER: ("IdNotAStringOrInteger", "a string or an integer"),
    IdKind.INTEGER: ("IdNotAnInteger", "an integer"),
    IdKind.UUID: ("IdNotAUuid", "a UUID in a string"),
}


def id_reader(kind: IdKind, pointer: str) -> Callable[[Any], str]:
    """A function from a document to the id at the pointer, as a string.

    An integer becomes its digits, and a UUID is written in lower case with hyphens, however it came.
    The function raises `Unreadable` for a document without such an id.
    """
    find = resolver(pointer)
    error, what = _KINDS[kind]
    take = {IdKind.STRING: _string, IdKind.INTEGER: _integer, IdKind.UUID: _uuid}.get(kind, _string_or_integer)

    def read(document: Any) -> str:
        found = find(document)
        if (taken := take(found)) is not None:
            return taken
        if found is MISSING:
            missing = "IdMissing"
            raise Unreadable(missing, f"there is nothing at {pointer}; {what} is required")
        has = type_name(found)
        if type(found) in (int, float) and kind in (IdKind.INTEGER, IdKind.STRING_OR_INTEGER):
            has = f"a number that is no integer of at most {MOST_DIGITS} digits"
        elif type(found) is str:
            has = "a string that is none"
        raise Unreadable(error, f"the value at {pointer} is {has}; {what} is required")

    return read


def id_of_record(record: Record) -> tuple[str, IdSource]:
    """The record's key where it is readable text, else `topic-partition-offset`.

    A key is text when it is UTF-8, at most 1024 bytes long, and has no control characters, which keys of numbers have.
    """
    key = record.key()
    if key and len(key) <= _LONGEST_KEY_BYTES:
        try:
            text = key.decode()
        except UnicodeDecodeError:
            text = ""
        if text.isprintable() and text.strip():
            return text, IdSource.KEY
    return f"{record.topic()}-{record.partition()}-{record.offset()}", IdSource.POSITION


def _string(found: Any) -> str | None:
    return found if type(found) is str else None


def _integer(found: Any) -> str | None:
    return str(found) if type(found) is int and -_TOO_LARGE < found < _TOO_LARGE else None


def _string_or_integer(found: Any) -> str | None:
    return found if type(found) is str else _integer(found)


def _uuid(found: Any) -> str | None:
    matched = _UUID.fullmatch(found) if type(found) is str else None
    return "-".join(matched.groups()[1:]).lower() if matched else None
