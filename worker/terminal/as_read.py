"""A label event whose comment has its id and text where a line looks for them, wherever the topic's documents do."""

from typing import TYPE_CHECKING

from worker.documents.texts import text_reader
from worker.documents.unreadable import Unreadable
from worker.json_pointer import MISSING, resolver
from worker.settings import InputSettings

if TYPE_CHECKING:
    from schemas.label import LabelEvent


class AsRead:
    """Reads the comments of label events as the worker did.

    Args:
        settings: Where the documents of the topic have id and text.

    Raises:
        SettingsInvalid: The library that reads the text's markup is not installed.
    """

    def __init__(self, settings: InputSettings) -> None:
        self._find_id = resolver(settings.id_pointer)
        self._read_text = text_reader(settings)

    def __call__(self, event: "LabelEvent") -> "LabelEvent":
        """The event with `id` and `text` in its comment; an empty text where the event has none."""
        comment_id = self._find_id(event.comment) if event.comment_id is None else event.comment_id.value
        try:
            text = self._read_text(event.comment)
        except Unreadable:
            text = ""  # left out or hashed by output.text
        shown = {"id": "" if comment_id is MISSING else comment_id, "text": text}
        return event.model_copy(update={"comment": shown})
