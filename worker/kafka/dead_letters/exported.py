r"""A dead letter as a JSON object that a person can edit, and back again as the record to send.

    {"topic": "comments", "letter": "comments.dlq/0/17", "stage": "DECODE", "error": "InvalidJson", "reason": "...",
     "key": "c-1", "value": "{\"id\": ...", "headers": [["source", "web"]], "timestamp_ms": 1795348800042}

Bytes that are not UTF-8 stand as `{"base64": "..."}`. What describes the failure is for the reader; what is sent is
topic, key, value, headers and timestamp.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from worker.errors import SettingsInvalid
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.dead_letters.returns import as_it_was
from worker.types import Outgoing


def _bytes(given: Any) -> Any:
    if isinstance(given, dict) and set(given) == {"base64"}:
        try:
            return base64.b64decode(str(given["base64"]), validate=True)
        except binascii.Error:
            message = "not base64"
            raise ValueError(message) from None
    if given is None or isinstance(given, str):
        return None if given is None else given.encode()
    message = 'write a string, null, or {"base64": "..."}'
    raise ValueError(message)


Bytes = Annotated[bytes | None, BeforeValidator(_bytes)]


class CorrectedLetter(BaseModel):
    """A line of the file: what is sent, and to which topic."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    topic: str
    key: Bytes = None
    value: Bytes = None
    headers: list[tuple[str, Bytes]] = []
    timestamp_ms: int = 0


def export_line(letter: DeadLetter, dead_letter_topic: str) -> str:
    """The letter as one line of JSON."""
    record = letter.record
    back = as_it_was(letter, letter.topic)
    return json.dumps(
        {
            "topic": letter.topic,
            "letter": f"{dead_letter_topic}/{record.partition()}/{record.offset()}",
            "origin": letter.origin,
            "failed_at": letter.failed_at,
            "stage": letter.stage,
            "error": letter.error,
            "reason": letter.reason,
            "key": as_json(back.key),
            "value": as_json(back.value),
            "headers": [[name, as_json(value)] for name, value in back.headers],
            "timestamp_ms": back.timestamp_ms,
        },
        ensure_ascii=False,
    )


def as_json(value: bytes | None) -> str | dict[str, str] | None:
    """Bytes as a string where they are UTF-8, in base64 where they are not."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def read_corrected(path: Path) -> Iterator[Outgoing]:
    """The records that a file of exported letters holds, line by line.

    Raises:
        SettingsInvalid: The file can't be read, or a line is no exported letter. The message quotes no value.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _record(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        message = f"{path} cannot be read: {reason}"
        raise SettingsInvalid(message) from None


def _record(line: str, where: str) -> Outgoing:
    try:
        letter = CorrectedLetter.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        message = f'{where}: not JSON at column {error.colno}. A value is a string: write its quotes as \\"'
        raise SettingsInvalid(message) from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'line'}: {one['msg']}" for one in error.errors())
        message = f"{where} is no exported dead letter: {problems}"
        raise SettingsInvalid(message) from None
    if not letter.topic:
        message = f"{where}: topic is empty. Name the topic to send it to."
        raise SettingsInvalid(message)
    return Outgoing(letter.topic, letter.key, letter.value, list(letter.headers), max(0, letter.timestamp_ms))
