"""The comment within its label event: as it came, or with its text hashed or left out."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from worker.documents.lossless_json import parse, written
from worker.json_pointer import pointer_tokens
from worker.settings import TextOutput


def comment_writer(output: TextOutput, text_pointers: Sequence[str]) -> Callable[[bytes], bytes] | None:
    """A function from a comment's JSON to the JSON that its event has of it; None where that is the same.

    Args:
        output: What becomes of the text: of each text, where a comment has several.
        text_pointers: Where the texts are.
    """
    if output is TextOutput.KEEP:
        return None
    paths = [pointer_tokens(pointer) for pointer in text_pointers]
    return partial(_without_texts, paths, hashed=output is TextOutput.HASH)


def _without_texts(paths: list[list[str]], comment: bytes, *, hashed: bool) -> bytes:
    """The comment with each text replaced by `sha256:` and the SHA-256 of its UTF-8, or left out."""
    document = parse(comment)
    for path in paths:
        holder = _holder(document, path)
        if holder is not None:
            _take_out(holder, path[-1], hashed=hashed)
    return written(document).encode()


def _holder(document: Any, path: list[str]) -> Any:
    """The object or array that has the text; None where there is none."""
    holder = document
    for token in path[:-1]:
        holder = _member(holder, token)
    return holder if type(_member(holder, path[-1])) is str else None


def _member(holder: Any, token: str) -> Any:
    if type(holder) is dict:
        return holder.get(token)
    if type(holder) is list and token.isascii() and token.isdigit() and int(token) < len(holder):
        return holder[int(token)]
    return None


def _take_out(holder: Any, token: str, *, hashed: bool) -> None:
    member: Any = int(token) if type(holder) is list else token
    if hashed:
        holder[member] = f"sha256:{sha256(holder[member].encode()).hexdigest()}"
    elif type(holder) is list:
        holder[member] = None  # removing it would shift the items that follow
    else:
        del holder[member]
