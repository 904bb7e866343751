"""A comment of a file, and where files and the input topic hold its id and its text."""

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from worker.json_pointer import pointer_tokens, put
from worker.settings import IdKind, InputSettings

_DEFAULT_INPUT = InputSettings()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a comment's id and text are.

    Attributes:
        input: What JSON lines that are read, and records that are sent, look like.
        id_column: Column of the id in a file with columns; None: the pointer's last part, else `id`.
        text_column: The same for the text; None: the pointer's last part, else `text` or `comment_text`. With several
            pointers the columns are those of their last parts, and this one replaces the first.
    """

    input: InputSettings = _DEFAULT_INPUT
    id_column: str | None = None
    text_column: str | None = None

    @property
    def id_names(self) -> tuple[str, ...]:
        """Names that the column of the ids may have, the preferred one first."""
        return (self.id_column,) if self.id_column else (pointer_tokens(self.input.id_pointer)[-1], "id")

    @property
    def text_names(self) -> tuple[tuple[str, ...], ...]:
        """For each text the names that its column may have; the Jigsaw challenge's is `comment_text`."""
        first, *others = (pointer_tokens(pointer)[-1] for pointer in self.input.text_pointer)
        names = (self.text_column,) if self.text_column else (first, "text", "comment_text")
        return (names, *((name,) for name in others))


DEFAULT_LAYOUT = Layout()


class FileComment(NamedTuple):
    """A comment read from a file.

    Attributes:
        id: The id it has in the file, else the file's name and the line.
        text: What a reader sees of its text.
        fields: Everything else that came with it: other columns (strings) or members (any JSON value).
        line: Line of the file on which it ends, counted from 1.
        given_id: The id as the file has it; None where it has none.
        texts: The texts as the file has them, one for each pointer, None for one that it lacks; empty: `text` alone.
        whole: The comment in its envelope, where the file has it in one.
    """

    id: str
    text: str
    fields: dict[str, Any]
    line: int
    given_id: str | int | None = None
    texts: tuple[str | None, ...] = ()
    whole: dict[str, Any] | None = None

    def document(self, layout: Layout = DEFAULT_LAYOUT) -> dict[str, Any]:
        """The comment as the worker reads it: id and texts where the layout has them.

        Raises:
            ValueError: A pointer leads through one of the comment's own fields that is not an object.
        """
        if self.whole is not None:
            return self.whole
        pointers: dict[str, Any] = {}
        if layout.input.id_kind is not IdKind.NONE:
            pointers[layout.input.id_pointer] = self._sent_id(layout.input.id_kind)
        pointers |= zip(layout.input.text_pointer, self.texts or (self.text,), strict=False)
        # Where id and text are members of the object itself, they come first.
        first = {name: None for name, *deeper in map(pointer_tokens, pointers) if not deeper}
        event: dict[str, Any] = {**first, **deepcopy(self.fields)}
        for pointer, value in pointers.items():
            put(event, pointer, value)
        return event

    def value(self, layout: Layout = DEFAULT_LAYOUT) -> bytes:
        """The document as the value of a record: one JSON object in UTF-8.

        Raises:
            ValueError: As for `document`.
        """
        return json.dumps(self.document(layout), ensure_ascii=False, separators=(",", ":")).encode()

    def _sent_id(self, kind: IdKind) -> str | int:
        if self.given_id is None:
            return self.id
        is_number = str(self.given_id).isascii() and str(self.given_id).isdigit()
        return int(self.given_id) if kind is IdKind.INTEGER and is_number else self.given_id
