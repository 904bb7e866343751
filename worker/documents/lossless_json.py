"""JSON that is parsed and written again without a change to its numbers."""

import json
from collections.abc import Callable
from typing import Any

import jiter


def parser(*, lossless: bool) -> Callable[[bytes], Any]:
    """A function from strict JSON (`worker.events.decoding`) to the document; for anything else it raises ValueError.

    Args:
        lossless: Numbers other than integers stay as they were written: no float is 1e400, for one.
    """
    float_mode: Any = "lossless-float" if lossless else "float"

    def parse_strictly(value: bytes) -> Any:  # not `partial`, which puts its keywords together at each call
        return jiter.from_json(
            value, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys", float_mode=float_mode
        )

    return parse_strictly


parse = parser(lossless=True)
"""The document of strict JSON, to be written again."""


def written(value: Any) -> str:
    """JSON of what `parse` gave, without blanks."""
    if type(value) is dict:
        return f"{{{','.join(f'{_text(name)}:{written(member)}' for name, member in value.items())}}}"
    if type(value) is list:
        return f"[{','.join(map(written, value))}]"
    return str(value) if type(value) is jiter.LosslessFloat else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
