"""The newest comments on which a candidate and the model disagree, by id, from the topic of examples."""

from collections import deque
from threading import Lock
from typing import Any

import jiter

from worker.page.event_reading import MOST_NAME
from worker.page.tail import Read
from worker.page.unknown import Json
from worker.types import Record
from worker.verdicts import Tier

MOST_EXAMPLES = 50
_MOST_DIFFERENCES = 20


class ShadowExamples:
    """Keeps the newest; any thread may add and ask.

    Attributes:
        unreadable: Records that are no examples.
    """

    def __init__(self) -> None:
        self.unreadable = 0
        self._rows: deque[dict[str, Json]] = deque(maxlen=MOST_EXAMPLES)
        self._lock = Lock()

    def take(self, found: Read) -> None:
        """Add what a follower has read."""
        with self._lock:
            for record in found.records:
                try:
                    self._rows.extend(_rows(record))
                except (ValueError, KeyError, TypeError, AttributeError):
                    self.unreadable += 1  # anybody may write to a topic

    def as_json(self) -> list[Json]:
        """The newest first: a row for each label on which the two differ."""
        with self._lock:
            return list(reversed(self._rows))


def _rows(record: Record) -> list[dict[str, Json]]:
    example: dict[str, Any] = jiter.from_json(record.value() or b"")
    labels = dict.fromkeys(str(one["label"])[:MOST_NAME] for one in example["differences"][:_MOST_DIFFERENCES])
    return [
        {
            "id": str(example["event_id"])[:MOST_NAME],
            "comment_id": str(example["comment_id"])[:MOST_NAME],
            "label": label,
            "incumbent": _score(example["incumbent"], label),
            "incumbent_tier": _tier(example["incumbent"], label),
            "candidate": _score(example["candidate"], label),
            "candidate_tier": _tier(example["candidate"], label),
        }
        for label in labels
    ]


def _tier(side: dict[str, Any], label: str) -> str:
    """The tier that one of the two gave the label."""
    found: str = side["tiers"].get(label, Tier.NONE)
    return Tier(found)


def _score(side: dict[str, Any], label: str) -> float | None:
    """The score that one of the two gave; None where it does not know the label."""
    found = side["scores"].get(label)
    return None if found is None else min(1.0, max(0.0, float(found)))
