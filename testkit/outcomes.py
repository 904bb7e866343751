"""Makes the outcomes that a reader of the output and dead letter topics finds."""

from datetime import UTC, datetime
from typing import Any

from schemas.label import LabelEvent, ModelInfo, SourceCoordinates, TextInfo, Thresholds
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.outcome_reader import Published


def published(partition: int, offset: int, *labels: str) -> Published:
    event = LabelEvent(
        schema_version="1.0",
        id="an id",
        comment={"id": "c-1", "text": "a text"},
        labels=list(labels),
        flagged=bool(labels),
        scores={"toxic": 0.9, "insult": 0.2},
        thresholds=Thresholds(set="default@1", values={"toxic": 0.5}),
        model=ModelInfo(id="m", revision=None, digest="sha256:" + "ab" * 32, precision="float32"),
        text=TextInfo(tokens=10, windows=1, truncated=False),
        source=SourceCoordinates(topic="comments", partition=partition, offset=offset, timestamp=None),
        processed_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    return Published(event, event.model_dump_json().encode())


def letter(partition: int, offset: int) -> DeadLetter:
    record: Any = None  # its content does not matter
    return DeadLetter(record, "comments", str(partition), str(offset), "DECODE", "InvalidJson", "not JSON", "", "", 0)
