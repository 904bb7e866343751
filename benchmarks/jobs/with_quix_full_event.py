"""The job with Quix Streams and an event of the same content as the worker's, headers included.

What the events share is prepared once. Ids and times come from the worker's own functions: what differs is the library.
"""

import time
from typing import Any

from quixstreams import message_context
from quixstreams.dataframe import StreamingDataFrame

from benchmarks.jobs import LABELS, SCORES
from benchmarks.jobs.with_quix import run
from schemas.cloudevents import constant_headers
from schemas.identity import EventIds, log_name
from schemas.timestamps import rfc3339

TOPIC, TOPIC_ID = "comments", "Vm0_1ekyTRaPIRIVmvvUdg"
MODEL = {"id": "none", "revision": "1", "digest": "sha256:" + "00" * 32, "precision": "float32"}
THRESHOLDS = {"set": "default@1", "values": dict.fromkeys(SCORES, 0.5), "act": {}, "made_for": "unstated"}
VERDICT = {"labels": LABELS, "flagged": True, "tier": "review", "tiers": dict.fromkeys(LABELS, "review")}
TEXT = {"tokens": 1, "windows": 1, "truncated": False}
HEADERS = constant_headers(TOPIC)
IDS = EventIds(log_name(TOPIC, TOPIC_ID), MODEL["digest"], "default@1")


def label(comment: dict[str, Any], _key: Any, milliseconds: int, _headers: Any) -> dict[str, Any]:
    """The event of a comment."""
    record = message_context()
    return {
        "schema_version": "1.0",
        "id": IDS.of(record.partition, record.offset).decode(),
        "comment_id": {"value": comment["id"], "source": "field"},
        "comment": comment,
        **VERDICT,
        "scores": SCORES,
        "thresholds": THRESHOLDS,
        "model_labels": {},
        "model": MODEL,
        "text": TEXT,
        "view": None,
        "language": None,
        "reasons": None,
        "source": {
            "topic": TOPIC,
            "topic_id": TOPIC_ID,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": _written(milliseconds),
        },
        "processed_at": _written(int(time.time() * 1000)),
    }


def headers(event: dict[str, Any], _key: Any, _milliseconds: int, _headers: Any) -> list[tuple[str, bytes]]:
    """The CloudEvents headers of an event."""
    return [
        *HEADERS,
        ("ce_id", event["id"].encode()),
        ("ce_time", event["processed_at"].encode()),
        ("ce_subject", event["comment_id"]["value"].encode()),
    ]


def _written(milliseconds: int) -> str:
    return (rfc3339(milliseconds) or b"").decode()


def labelled(comments: StreamingDataFrame) -> StreamingDataFrame:
    """The events of a stream of comments."""
    return comments.apply(label, metadata=True).set_headers(headers)


if __name__ == "__main__":
    run(labelled)
