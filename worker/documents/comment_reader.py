"""From a document to the comment it holds, as the input settings say."""

from typing import Any, NamedTuple

from worker.documents.conditions import all_hold
from worker.documents.ids import id_reader
from worker.documents.texts import text_reader
from worker.input_settings import IdKind, InputSettings


class Found(NamedTuple):
    """A comment in a document.

    Attributes:
        id: None where, by the setting, documents have none.
        text: What a reader sees of it.
    """

    id: str | None
    text: str


class CommentReader:
    """Reads documents as the input settings say.

    Raises:
        SettingsInvalid: The library that reads the text's markup is not installed.
    """

    def __init__(self, settings: InputSettings) -> None:
        self._is_wanted = all_hold(settings.where) if settings.where else None
        self._read_id = (
            id_reader(settings.id_kind, settings.id_pointer) if settings.id_kind is not IdKind.NONE else None
        )
        self._read_text = text_reader(settings)

    def read(self, document: dict[str, Any]) -> Found | None:
        """The comment, or None for a document that does not meet `input.where`.

        Raises:
            Unreadable: The document has no such id or no such text.
        """
        if self._is_wanted is not None and not self._is_wanted(document):
            return None
        comment_id = self._read_id(document) if self._read_id is not None else None
        return Found(comment_id, self._read_text(document))
