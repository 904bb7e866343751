"""Deletions go on where a setting says so, or where the output topic is compacted, which is asked once."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from worker.errors import Retryable
from worker.kafka.delivery.output_cleanup import ForwardsDeletions
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


class Broker:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Future[Mapping[str, Any]]] = []

    def ask(self) -> "Future[Mapping[str, Any]]":
        self.asked.append(Future())
        return self.asked[-1]

    def answer(self, policy: str) -> None:
        self.asked[-1].set_result({"cleanup.policy": SimpleNamespace(value=policy)})

    def refuse(self, code: int) -> None:
        self.asked[-1].set_exception(KafkaException(KafkaError(code)))


def forwards(mode: str, broker: Broker) -> ForwardsDeletions:
    return ForwardsDeletions(Settings(output={"tombstones": mode}), broker.ask)


@pytest.mark.parametrize(("mode", "expected"), [("forward", True), ("drop", False)])
def test_a_setting_decides_without_asking(mode: str, expected: bool) -> None:
    broker = Broker()
    assert forwards(mode, broker)() is expected
    assert broker.asked == []


@pytest.mark.parametrize(
    ("policy", "expected"), [("compact", True), ("compact,delete", True), ("delete", False), ("", False)]
)
def test_a_deletion_waits_for_the_brokers_answer_and_the_next_does_not(policy: str, expected: bool) -> None:
    broker = Broker()
    decide = forwards("auto", broker)
    for _ in range(3):
        with pytest.raises(Retryable):
            decide()
    broker.answer(policy)
    assert [decide(), decide()] == [expected, expected]
    assert len(broker.asked) == 1


def test_a_broker_that_does_not_answer_is_asked_again_and_the_deletion_goes_on_waiting() -> None:
    broker = Broker()
    decide = forwards("auto", broker)
    with pytest.raises(Retryable):
        decide()
    broker.refuse(KafkaError._TIMED_OUT)
    with pytest.raises(Retryable):
        decide()
    with pytest.raises(Retryable):
        decide()
    broker.answer("compact")
    assert decide()
    assert len(broker.asked) == 2


def test_without_the_right_to_look_nothing_is_forwarded_and_the_log_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = Broker()
    decide = forwards("auto", broker)
    with pytest.raises(Retryable):
        decide()
    broker.refuse(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert [decide(), decide()] == [False, False]
    (line,) = [record.getMessage() for record in caplog.records]
    assert "output.tombstones" in line
    assert "DescribeConfigs" in line


def test_a_topic_that_does_not_exist_yet_is_asked_for_again() -> None:
    broker = Broker()
    decide = forwards("auto", broker)
    with pytest.raises(Retryable):
        decide()
    broker.refuse(KafkaError.UNKNOWN_TOPIC_OR_PART)
    assert decide() is False
    with pytest.raises(Retryable):
        decide()
    broker.answer("compact")
    assert decide()
