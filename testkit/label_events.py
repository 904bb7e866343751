"""Makes label events as a worker publishes them, of any scores and any time."""

import json
from datetime import UTC, datetime
from typing import Any

from testkit.records import record

THRESHOLDS = {"toxic": (0.5, 0.8), "insult": (0.4, None)}
DIGEST = "sha256:" + "ab" * 32


def label_event(
    comment_id: str = "c-1", text: str | None = "a text", *, at_ms: float = 1_795_348_800_042, **scores: float
) -> dict[str, Any]:
    """An event of the schema of now; labels and tiers follow from the scores."""
    scores = {"toxic": 0.1, "insult": 0.1, **scores}
    tiers = {}
    for label, score in scores.items():
        review, act = THRESHOLDS[label]
        if act is not None and score >= act:
            tiers[label] = "act"
        elif score >= review:
            tiers[label] = "review"
    comment = {"id": comment_id} if text is None else {"id": comment_id, "text": text}
    return {
        "schema_version": "1.2",
        "id": f"event-{comment_id}",
        "comment_id": {"value": comment_id, "source": "field"},
        "comment": comment,
        "labels": list(tiers),
        "flagged": bool(tiers),
        "tier": "act" if "act" in tiers.values() else "review" if tiers else "none",
        "tiers": tiers,
        "scores": scores,
        "thresholds": {
            "set": "default@1",
            "values": {label: review for label, (review, _) in THRESHOLDS.items()},
            "act": {label: act for label, (_, act) in THRESHOLDS.items() if act is not None},
            "made_for": "this-model",
        },
        "model_labels": {},
        "model": {"id": "a-model", "revision": "1", "digest": DIGEST, "precision": "float32"},
        "text": {"tokens": 7, "windows": 1, "truncated": False},
        "view": None,
        "language": {"detected": "en", "reliable": True, "supported": True},
        "reasons": None,
        "source": {"topic": "comments", "topic_id": None, "partition": 0, "offset": 0, "timestamp": None},
        "processed_at": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
    }


def event_record(event: dict[str, Any] | bytes | None, *, offset: int = 0, partition: int = 0) -> Any:
    """The record that an event, or anything else, comes in."""
    value = event if event is None or isinstance(event, bytes) else json.dumps(event).encode()
    return record(value, offset=offset, partition=partition, topic="comment-labels")
