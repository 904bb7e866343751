"""A comment of a file, and where files and the input topic hold its id and its text."""

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from worker.json_pointer import pointer_tokens, put
from worker.settings import InputSettings


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a comment's id and text are.

    Attributes:
        id_pointer: JSON Pointer to the id: in JSON lines that are read, and in the records that are sent.
        text_pointer: The same for the text.
        id_column: Column of the id in a file with columns; None: the pointer's last part, else `id`.
        text_column: The same for the text; None: the pointer's last part, else `text` or `comment_text`.
    """

    id_pointer: str = "/id"
    text_pointer: str = "/text"
    id_column: str | None = None
    text_column: str | None = None

    @classmethod
    def of(cls, settings: InputSettings, id_column: str | None = None, text_column: str | None = None) -> "Layout":
        """The layout that the worker reads its topic by."""
        return cls(settings.id_pointer, settings.text_pointer, id_column, text_column)

    @property
    def id_names(self) -> tuple[str, ...]:
        """Names that the column of the ids may have, the preferred one first."""
        return (self.id_column,) if self.id_column else (pointer_tokens(self.id_pointer)[-1], "id")

    @property
    def text_names(self) -> tuple[str, ...]:
        """Names that the column of the texts may have; the Jigsaw challenge's is `comment_text`."""
        return (
            (self.text_column,) if self.text_column else (pointer_tokens(self.text_pointer)[-1], "text", "comment_text")
        )


DEFAULT_LAYOUT = Layout()


class FileComment(NamedTuple):
    """A comment read from a file.

    Attributes:
        id: The id it has in the file, else the file's name and the line.
        text: The text of the comment.
        fields: Everything else that came with it: other columns (strings) or members (any JSON value).
        line: Line of the file on which it ends, counted from 1.
    """

    id: str
    text: str
    fields: dict[str, Any]
    line: int

    def value(self, layout: Layout = DEFAULT_LAYOUT) -> bytes:
        """The comment as the value of a record: one JSON object in UTF-8, id and text where the layout has them.

        Raises:
            ValueError: A pointer leads through one of the comment's own fields that is not an object.
        """
        pointers = {layout.id_pointer: self.id, layout.text_pointer: self.text}
        # Where id and text are members of the object itself, they come first.
        first = {name: None for name, *deeper in map(pointer_tokens, pointers) if not deeper}
        event: dict[str, Any] = {**first, **deepcopy(self.fields)}
        for pointer, value in pointers.items():
            put(event, pointer, value)
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
