"""Examples are published as well as can be, and whatever fails there never reaches the comparison."""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from testkit.fatal import make_fatal
from tests.unit.shadow.made import CANDIDATE, event, verdict
from worker.settings import Settings
from worker.shadow.comparison import By, Flag, compare
from worker.shadow.counting import Example
from worker.shadow.examples import Examples
from worker.verdicts import Tier

_OUT_OF_ORDER = 45
NOBODY = "127.0.0.1:1"


def some(comment_id: str = "c-1") -> list[Example]:
    one = compare(event(1, "toxic")._replace(comment_id=comment_id), verdict())
    return [(one, [Flag("toxic", Tier.REVIEW, By.INCUMBENT)])]


def made() -> tuple[Examples, Counter[str]]:
    counted: Counter[str] = Counter()
    settings = Settings(kafka={"bootstrap_servers": NOBODY}, shadow={"examples_topic": "examples"})
    return Examples(settings, "examples", lambda: 1_790_000_000.0, lambda result: counted.update([result])), counted


class RecordingProducer:
    """Delivers when it is polled, unless it is held up; its queue has an event that is no report, too."""

    def __init__(self) -> None:
        self.held_up = False
        self.reports: list[Callable[[KafkaError | None, Message | None], None]] = []
        self.flushed = False

    def produce(self, *_: Any, on_delivery: Callable[[KafkaError | None, Message | None], None]) -> None:
        self.reports.append(on_delivery)

    def poll(self, seconds: float) -> None:
        assert seconds == 0
        while self.reports and not self.held_up:
            self.reports.pop()(None, None)

    def flush(self, _: float) -> int:
        self.flushed = True
        return len(self)

    def __len__(self) -> int:
        return len(self.reports) + 1


def test_a_fatal_error_ends_the_examples_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    examples, counted = made()
    make_fatal(examples._producer, _OUT_OF_ORDER)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            examples.publish(CANDIDATE, some())
            examples.serve()
        examples.close()
    assert counted == {"failed": 3}
    assert caplog.text.count("no more examples are published to examples until the worker starts again") == 1


def test_examples_left_before_a_fatal_error_are_counted_too() -> None:
    examples, counted = made()
    examples.publish(CANDIDATE, some())
    make_fatal(examples._producer, _OUT_OF_ORDER)
    examples.close()
    assert counted == {"failed": 1}


def test_publishing_waits_for_no_broker_and_the_reports_are_counted_later() -> None:
    examples, counted = made()
    producer: Any = RecordingProducer()
    examples._producer = producer
    examples.publish(CANDIDATE, some())
    assert not producer.flushed
    examples.serve()
    assert counted == {"sent": 1}
    producer.held_up = True
    examples.publish(CANDIDATE, some())
    examples.close()
    assert producer.flushed
    assert counted == {"sent": 1, "failed": 1}, "what is not delivered at the end is not left uncounted"


def test_an_example_that_cannot_be_written_is_counted() -> None:
    examples, counted = made()
    examples.publish(CANDIDATE, some("half of a pair: \ud800"))
    assert counted == {"failed": 1}
