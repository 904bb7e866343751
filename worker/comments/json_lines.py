"""Comments of JSON lines: an object on each, with id and text where the layout has them."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NoReturn

from worker.comments.file_comment import FileComment, Layout
from worker.comments.refusal import refusal
from worker.json_pointer import MISSING, pointer_tokens, resolver

_DEFAULT_TEXT = "/text"
_JIGSAW_TEXT = "/comment_text"
_EXAMPLE = '{"id": "c-1", "text": "..."}'


def read_json_lines(lines: Iterator[str], name: str, layout: Layout) -> Iterator[FileComment]:
    """The comments of the lines; blank lines are skipped.

    Raises:
        SettingsInvalid: A line is not an object with a text.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_constant=_refuse_constant)
        except _NotJson as error:
            raise refusal(name, number, f"not JSON: {error} is not a JSON value.") from None
        except (ValueError, RecursionError):
            raise refusal(name, number, f"not JSON. Each line must be an object such as {_EXAMPLE}.") from None
        if not isinstance(found, dict):
            raise refusal(name, number, f"not an object. Write one such as {_EXAMPLE}.")
        yield _from_object(found, name, number, layout)


def _from_object(found: dict[str, Any], name: str, line: int, layout: Layout) -> FileComment:
    text_pointer = layout.text_pointer
    text = resolver(text_pointer)(found)
    if text is MISSING and text_pointer == _DEFAULT_TEXT:
        text_pointer = _JIGSAW_TEXT
        text = resolver(text_pointer)(found)
    given = resolver(layout.id_pointer)(found)
    if not isinstance(text, str):
        raise refusal(name, line, f"there is no string at {layout.text_pointer} (input.text_pointer) for the text.")
    if given in (MISSING, None):
        given = f"{name}:{line}"
    elif isinstance(given, bool) or not isinstance(given, str | int):
        raise refusal(name, line, "the id must be a string or a whole number. Leave it out to use the line's number.")
    comment = FileComment(str(given), text, _without(found, (layout.id_pointer, text_pointer)), line)
    try:
        comment.value()
    except UnicodeEncodeError:
        raise refusal(name, line, r"a lone surrogate (such as \ud800) is not a character. Remove it.") from None
    return comment


def _without(found: dict[str, Any], pointers: tuple[str, ...]) -> dict[str, Any]:
    """The object without the members at the pointers; only members of an object are removed, not items of a list."""
    rest = deepcopy(found) if any(len(pointer_tokens(pointer)) > 1 for pointer in pointers) else found
    for pointer in pointers:
        *way, last = pointer_tokens(pointer)
        holder: Any = rest
        for token in way:
            holder = holder.get(token) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(last, None)
    return rest


class _NotJson(ValueError):
    """A constant that Python's parser accepts but JSON does not have."""


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJson(name)
