"""The demo counts each record once, and its rate from the first comment sent to the last outcome."""

from datetime import UTC, datetime
from typing import Any

from schemas.label import LabelEvent, ModelInfo, SourceCoordinates, TextInfo, Thresholds
from worker.demo.tally import Tally
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.outcome_reader import Published


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


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


def test_a_repeated_delivery_is_counted_once_in_any_order() -> None:
    tally = Tally(Clock())
    outcomes: list[Published | DeadLetter] = [
        published(0, 2),
        published(0, 0, "toxic"),
        letter(0, 1),
        published(1, 0),
    ]

    assert [tally.add(outcome) for outcome in [*outcomes, *outcomes]] == [True] * 4 + [False] * 4
    assert (tally.outcomes, tally.comments, tally.flagged, tally.dead_letters) == (4, 3, 1, 1)
    assert tally.labels == {"toxic": 1}


def test_the_rate_ends_with_the_last_outcome() -> None:
    clock = Clock()
    tally = Tally(clock)
    assert tally.rate == 0

    tally.start()
    clock.now += 2
    tally.add(published(0, 0))
    tally.add(published(0, 1))
    clock.now += 100

    assert (tally.seconds, tally.rate) == (2, 1)
