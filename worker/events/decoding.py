"""From a record to a comment, a rejection or a record that is passed over. Never raises for what a record holds.

JSON is parsed strictly: no NaN or infinities, no repeated names (a reader that takes the first and one that takes the
last would see different texts), no lone surrogates, at most 200 levels. The parser is jiter, pydantic's own.
"""

import re
from collections.abc import Callable
from typing import Any

from worker.documents import lossless_json
from worker.documents.comment_reader import CommentReader, PassedOver
from worker.documents.ids import id_of_record
from worker.documents.unreadable import Unreadable, type_name
from worker.events.headers import headers_of
from worker.json_pointer import resolver
from worker.named_tuples import maker
from worker.settings import Envelope, IdKind, InputSettings, TextFormat
from worker.types import Assignment, Comment, Decoded, Headers, IdSource, Record, Rejected, Skipped, Stage

_POSITION = re.compile(r"at line \d+ column \d+$")

_PARSER_ERRORS = (
    ("Detected duplicate key", "DuplicateName", "the JSON object repeats a name"),
    ("recursion limit exceeded", "NestedTooDeep", "the JSON is nested more than 200 levels deep"),
    ("invalid unicode code point", "InvalidUtf8", "the value is not valid UTF-8"),
    ("hex escape", "LoneSurrogate", "a \\u escape is broken or half of a surrogate pair"),
    ("surrogate", "LoneSurrogate", "a \\u escape is broken or half of a surrogate pair"),
)


_comment = maker(Comment)


def _never() -> bool:
    return False


class Decoder:
    """Reads comments as the input settings say.

    Args:
        settings: Say what a record means.
        forwards_deletions: Whether a deletion goes on to the output topic; may raise `Retryable` while that is unknown.

    Raises:
        SettingsInvalid: The library that reads the text's markup is not installed.
    """

    def __init__(self, settings: InputSettings, forwards_deletions: Callable[[], bool] = _never) -> None:
        self._forwards_deletions = forwards_deletions
        self._max_bytes = settings.max_value_bytes
        self._find_id = resolver(settings.id_pointer)
        self._find_text = resolver(settings.text_pointer[0])
        self._reader = CommentReader(settings)
        self._has_envelope = settings.envelope is not Envelope.NONE
        # What is taken out of an envelope is written again, and its numbers with it.
        self._parse = lossless_json.parser(lossless=self._has_envelope)
        self._has_plain_fields = (
            settings.id_kind in (IdKind.STRING_OR_INTEGER, IdKind.STRING)
            and len(settings.text_pointer) == 1
            and settings.text_format is TextFormat.PLAIN
            and settings.envelope is Envelope.NONE
            and not settings.where
        )

    def decode(self, record: Record, assignment: Assignment) -> Decoded:
        """A `Comment`, `Rejected` or `Skipped` for one record and the assignment it was polled under.

        Raises:
            Retryable: It is a deletion, and it is not known yet whether deletions are forwarded.
        """
        value = record.value()
        if value is None:
            return self._deletion(record, assignment)
        if len(value) > self._max_bytes:
            reason = f"the value has {len(value)} bytes; the limit input.max_value_bytes is {self._max_bytes}"
            return Rejected(record, assignment, Stage.DECODE, "ValueTooLarge", reason)
        try:
            document = self._parse(value)
        except ValueError as error:
            return Rejected(record, assignment, Stage.DECODE, *_describe(error))
        if type(document) is not dict:
            reason = f"the value is {type_name(document)}, not a JSON object"
            return Rejected(record, assignment, Stage.VALIDATE, "NotAnObject", reason)
        if self._has_plain_fields:  # nearly every record of nearly every topic ends here
            comment_id = self._find_id(document)
            text = self._find_text(document)
            if type(comment_id) is str and type(text) is str:
                return _comment((record, assignment, comment_id, text, IdSource.FIELD, None))
        return self._read(record, assignment, document)

    def _read(self, record: Record, assignment: Assignment, document: dict[str, Any]) -> Decoded:
        headers: Headers = headers_of(record) if self._has_envelope else ()
        try:
            found = self._reader.read(document, headers)
        except Unreadable as unreadable:
            return Rejected(record, assignment, Stage.VALIDATE, unreadable.error, unreadable.reason)
        if found is PassedOver.FILTERED:
            return Skipped(record, assignment, filtered=True)
        if isinstance(found, PassedOver):
            return self._deletion(record, assignment)
        comment_id, source = (found.id, found.id_source) if found.id is not None else id_of_record(record)
        inside = None if found.document is None else lossless_json.written(found.document).encode()
        return Comment(record, assignment, comment_id, found.text, source, inside)

    def _deletion(self, record: Record, assignment: Assignment) -> Skipped:
        """A tombstone needs a key: what it deletes is the event under the same one."""
        return Skipped(record, assignment, forwarded=record.key() is not None and self._forwards_deletions())


def _describe(error: ValueError) -> tuple[str, str]:
    """Class and reason of a parser's error; only its position is kept, since its message can quote the payload."""
    message = str(error)
    position = _POSITION.search(message)
    where = f" {position.group()}" if position else ""
    for sign, error_class, reason in _PARSER_ERRORS:
        if sign in message:
            return error_class, reason + where
    return "InvalidJson", "the value is not valid JSON" + where
