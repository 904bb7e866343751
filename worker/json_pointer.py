"""RFC 6901 JSON Pointers: find, take out and put in a value of a document."""

from collections.abc import Callable
from typing import Any

MISSING: Any = object()
"""The result for a pointer that leads nowhere."""


def pointer_tokens(pointer: str) -> list[str]:
    """The reference tokens of a pointer, unescaped."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def resolver(pointer: str) -> Callable[[dict[str, Any]], Any]:
    """A function that follows the pointer into a document and returns what is there, or `MISSING`."""
    tokens = pointer_tokens(pointer)
    if len(tokens) == 1:
        only = tokens[0]
        return lambda document: document.get(only, MISSING)

    def resolve(document: Any) -> Any:
        for token in tokens:
            # In line for objects: it runs for every record.
            document = document.get(token, MISSING) if type(document) is dict else _child(document, token)
        return document

    return resolve


def put(document: dict[str, Any], pointer: str, value: Any) -> None:
    """Set the value at the pointer, with objects for whatever is missing on the way.

    Raises:
        ValueError: Something on the way is neither an object nor an array that reaches so far.
    """
    *way, last = pointer_tokens(pointer)
    holder: Any = document
    for token in way:
        following = _child(holder, token)
        if following is MISSING and type(holder) is dict:
            following = holder[token] = {}
        holder = following
    if type(holder) is dict:
        holder[last] = value
    elif _child(holder, last) is not MISSING:
        holder[int(last)] = value
    else:
        message = f"{pointer} leads through a value that is neither an object nor an array"
        raise ValueError(message)


def _child(holder: Any, token: str) -> Any:
    if type(holder) is dict:
        return holder.get(token, MISSING)
    if type(holder) is list and token.isascii() and token.isdigit() and int(token) < len(holder):
        return holder[int(token)]
    return MISSING
