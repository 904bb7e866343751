"""JSON that is parsed and written again without a change to its numbers."""

import json
from typing import Any

import jiter


def parse(value: bytes) -> Any:
    """The document, in which numbers that are no integers stay as they were written: 1e400 is no float, for one.

    Raises:
        ValueError: It is not strict JSON (`worker.events.decoding`).
    """
    return jiter.from_json(
        value, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys", float_mode="lossless-float"
    )


def written(value: Any) -> str:
    """JSON of what `parse` gave, without blanks."""
    if type(value) is dict:
        return f"{{{','.join(f'{_text(name)}:{written(member)}' for name, member in value.items())}}}"
    if type(value) is list:
        return f"[{','.join(map(written, value))}]"
    return str(value) if type(value) is jiter.LosslessFloat else _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
