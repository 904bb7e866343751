"""From a document to the comment it holds, as the input settings say."""

from enum import Enum
from typing import Any, NamedTuple

from worker.documents.conditions import all_hold
from worker.documents.envelopes.debezium import UNAVAILABLE
from worker.documents.envelopes.unwrapping import unwrapper
from worker.documents.ids import id_reader
from worker.documents.texts import text_reader
from worker.documents.unreadable import Unreadable
from worker.json_pointer import MISSING, resolver
from worker.settings import Envelope, IdKind, InputSettings
from worker.types import Headers, IdSource


class PassedOver(Enum):
    """Why a document is no comment, although nothing is wrong with it."""

    FILTERED = "it does not meet input.where"
    DELETED = "it is the deletion of a comment"


class Found(NamedTuple):
    """A comment in a document.

    Attributes:
        id: None where, by the setting, documents have none.
        id_source: Where the id is from, if there is one.
        text: What a reader sees of it.
        document: What the envelope holds; None where there is no envelope.
    """

    id: str | None
    id_source: IdSource
    text: str
    document: dict[str, Any] | None


class CommentReader:
    """Reads documents as the input settings say.

    Raises:
        SettingsInvalid: The library that reads the text's markup is not installed.
    """

    def __init__(self, settings: InputSettings) -> None:
        self._is_wanted = all_hold(settings.where) if settings.where else None
        self._unwrap = unwrapper(settings.envelope)
        self._find_id = resolver(settings.id_pointer)
        self._read_id = (
            id_reader(settings.id_kind, settings.id_pointer) if settings.id_kind is not IdKind.NONE else None
        )
        self._read_text = text_reader(settings)
        may_be_unavailable = settings.text_pointer if settings.envelope is Envelope.DEBEZIUM else ()
        self._unavailable = [(pointer, resolver(pointer)) for pointer in may_be_unavailable]

    def read(self, document: dict[str, Any], headers: Headers = ()) -> Found | PassedOver:
        """The comment, or why there is none.

        Args:
            document: The record's value. Its numbers should be as `lossless_json.parse` gives them where there is an
                envelope, because what the envelope holds is written again.
            headers: The record's headers, which CloudEvents may use.

        Raises:
            Unreadable: There is no such envelope, no such id or no such text.
        """
        if self._is_wanted is not None and not self._is_wanted(document):
            return PassedOver.FILTERED
        if self._unwrap is None:
            return Found(self._id(document), IdSource.FIELD, self._read_text(document), None)
        unwrapped = self._unwrap(document, headers)
        if unwrapped is None:
            return PassedOver.DELETED
        inside, envelope_id = unwrapped
        self._check_availability(inside)
        if envelope_id is not None and (self._read_id is None or self._find_id(inside) is MISSING):
            return Found(envelope_id, IdSource.CLOUDEVENT, self._read_text(inside), inside)
        return Found(self._id(inside), IdSource.FIELD, self._read_text(inside), inside)

    def _id(self, document: dict[str, Any]) -> str | None:
        return None if self._read_id is None else self._read_id(document)

    def _check_availability(self, row: dict[str, Any]) -> None:
        for pointer, find in self._unavailable:
            if find(row) == UNAVAILABLE:
                error = "TextUnavailable"
                reason = (
                    f"the value at {pointer} is Debezium's placeholder for a text that did not change: the database "
                    "logs it with REPLICA IDENTITY FULL"
                )
                raise Unreadable(error, reason)
