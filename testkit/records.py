"""Makes records as the consumer returns them."""

import json
from typing import Any

from confluent_kafka import Message

from worker.types import Assignment

ASSIGNMENT = Assignment("comments", 3, epoch=1)


def record(
    value: bytes | None,
    *,
    key: bytes | None = b"k",
    offset: int = 4711,
    partition: int = 3,
    headers: Any = None,
    timestamp: tuple[int, int] = (1, 1_795_348_800_042),
    topic: str = "comments",
) -> Any:
    return Message(
        topic=topic, partition=partition, offset=offset, key=key, value=value, headers=headers, timestamp=timestamp
    )


def comment_record(identity: str, text: str, *, offset: int = 4711, **fields: Any) -> Any:
    return record(json.dumps({"id": identity, "text": text, **fields}, ensure_ascii=False).encode(), offset=offset)
