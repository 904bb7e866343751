"""What the page says in place of a value that it does not know: why, and what to do."""

from typing import Any

Json = Any
"""What becomes JSON: dicts, lists, strings, numbers, booleans and None."""


def unknown(why: str) -> dict[str, str]:
    """A value that is not known, with the sentence that says why."""
    return {"unknown": why}


def is_unknown(value: Json) -> bool:
    """Whether a value is one that is not known."""
    return isinstance(value, dict) and value.keys() == {"unknown"}
