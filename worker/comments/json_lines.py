"""Comments of JSON lines: an object on each, with id and text where the layout has them."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NoReturn

from worker.comments.file_comment import FileComment, Layout
from worker.comments.refusal import Joined, refusal, shown_text
from worker.documents.envelopes.unwrapping import unwrapper
from worker.documents.texts import joiner
from worker.documents.unreadable import Unreadable
from worker.json_pointer import MISSING, pointer_tokens, resolver

_DEFAULT_TEXT = "/text"
_JIGSAW_TEXT = "/comment_text"
_EXAMPLE = '{"id": "c-1", "text": "..."}'


def read_json_lines(lines: Iterator[str], name: str, layout: Layout) -> Iterator[FileComment]:
    """The comments of the lines; blank lines are skipped, and so are deletions in envelopes.

    Raises:
        SettingsInvalid: A line is not an object with a text.
    """
    joined, unwrap = joiner(layout.input), unwrapper(layout.input.envelope)
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
        if unwrap is None:
            yield _from_object(found, name, number, layout, joined)
            continue
        try:
            unwrapped = unwrap(found, ())
        except Unreadable as error:
            raise refusal(name, number, f"{error.reason} (input.envelope).") from None
        if unwrapped is not None:
            comment = _from_object(unwrapped.document, name, number, layout, joined)
            yield comment._replace(whole=found)


def _from_object(found: dict[str, Any], name: str, line: int, layout: Layout, joined: Joined) -> FileComment:
    pointers = layout.input.text_pointer
    if pointers == (_DEFAULT_TEXT,) and resolver(_DEFAULT_TEXT)(found) is MISSING:
        pointers = (_JIGSAW_TEXT,)
    texts = tuple(_text(resolver(pointer)(found)) for pointer in pointers)
    if not any(text is not None for text in texts):
        where = " or ".join(layout.input.text_pointer)
        raise refusal(name, line, f"there is no string at {where} (input.text_pointer) for the text.")
    given = resolver(layout.input.id_pointer)(found)
    if given in (MISSING, None):
        given = None
    elif isinstance(given, bool) or not isinstance(given, str | int):
        raise refusal(name, line, "the id must be a string or a whole number. Leave it out to use the line's number.")
    comment_id = f"{name}:{line}" if given is None else str(given)
    rest = _without(found, (layout.input.id_pointer, *pointers))
    comment = FileComment(comment_id, shown_text(joined, texts, name, line), rest, line, given, texts)
    try:
        comment.value()
    except UnicodeEncodeError:
        raise refusal(name, line, r"a lone surrogate (such as \ud800) is not a character. Remove it.") from None
    return comment


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None


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
