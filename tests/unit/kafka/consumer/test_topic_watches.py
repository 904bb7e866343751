"""All watched topics are described by one request every two seconds, and what one of them lacks concerns no other."""

from collections.abc import Iterable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from testkit.clock import FakeClock
from worker.kafka.consumer.topic_watch import BETWEEN_LOOKS_SECONDS, Log
from worker.kafka.consumer.topic_watches import TopicWatches

LOG = Log("AAAAAAAAAAAAAAAAAAAAAB", 3)


class Broker:
    """Notes which topics are asked for together, and answers when a test lets it.

    Attributes:
        asked: The topics of each request, in order.
    """

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self._responses: dict[str, Future[Any]] = {}

    def describe(self, topics: Iterable[str]) -> dict[str, Future[Any]]:
        self.asked.append(sorted(topics))
        responses: dict[str, Future[Any]] = {topic: Future() for topic in self.asked[-1]}
        self._responses |= responses
        return responses

    def report(self, *topics: str, topic_id: str = LOG.topic_id) -> None:
        for topic in topics:
            self._responses[topic].set_result(SimpleNamespace(topic_id=topic_id, partitions=[0, 1, 2]))

    def refuse(self, topic: str, code: int) -> None:
        self._responses[topic].set_exception(KafkaException(KafkaError(code)))


class Scene:
    """Watches on topics, by a clock that a test moves."""

    def __init__(self, *topics: str) -> None:
        self.clock = FakeClock()
        self.broker = Broker()
        self.watches = TopicWatches(topics, cast("Any", self.broker), self.clock)

    def turn(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.watches.look()


@pytest.fixture
def scene() -> Scene:
    return Scene("a", "b")


def test_hundreds_of_topics_take_one_request_each_two_seconds() -> None:
    topics = sorted(f"t{number}" for number in range(300))
    scene = Scene(*topics)
    for _ in range(3):
        scene.turn()
        scene.broker.report(*topics)
        scene.turn()
        scene.turn(BETWEEN_LOOKS_SECONDS)
    assert scene.broker.asked == [topics] * 4


def test_nothing_is_asked_while_a_response_is_awaited_or_no_topic_is_watched(scene: Scene) -> None:
    scene.turn()
    scene.turn(10 * BETWEEN_LOOKS_SECONDS)
    assert len(scene.broker.asked) == 1
    nobody = Scene()
    nobody.turn()
    assert nobody.broker.asked == []


def test_a_topic_that_is_missing_or_denied_fails_alone(scene: Scene) -> None:
    for _ in range(2):
        scene.turn(BETWEEN_LOOKS_SECONDS)
        scene.broker.refuse("a", KafkaError.UNKNOWN_TOPIC_OR_PART)
        scene.broker.report("b")
        scene.turn()
    assert scene.watches.missing == ("a",)
    assert scene.watches.of("b").known == LOG
    scene.turn(BETWEEN_LOOKS_SECONDS)
    scene.broker.refuse("a", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    scene.broker.report("b")
    scene.turn()
    assert scene.watches.of("a").denied
    assert not scene.watches.of("b").denied


def test_topics_assigned_at_different_times_share_a_request_from_then_on(scene: Scene) -> None:
    scene.turn()
    scene.broker.report("a", "b")
    scene.turn(BETWEEN_LOOKS_SECONDS / 2)
    scene.watches.look_now(["c"], 0.0)
    scene.broker.report("c")
    scene.turn(BETWEEN_LOOKS_SECONDS / 2)
    scene.broker.report("a", "b", "c")
    scene.turn(BETWEEN_LOOKS_SECONDS)
    assert scene.broker.asked == [["a", "b"], ["c"], ["a", "b", "c"], ["a", "b", "c"]]


def test_an_assignment_asks_for_its_topics_at_once_even_while_a_response_is_awaited(scene: Scene) -> None:
    scene.turn()
    assert scene.watches.look_now(["b", "c"], 0.0) == {}
    scene.broker.report("b", "c")
    scene.turn()
    assert scene.watches.of("b").known == scene.watches.of("c").known == LOG
    assert scene.watches.of("a").known is None


def test_a_sign_of_change_asks_without_the_wait(scene: Scene) -> None:
    scene.turn()
    scene.broker.report("a", "b")
    scene.turn()
    scene.watches.of("b").look_soon()
    scene.turn()
    assert scene.broker.asked == [["a", "b"]] * 2


def test_a_topic_found_created_again_is_counted_once(scene: Scene) -> None:
    scene.turn()
    scene.broker.report("a", "b")
    scene.turn(BETWEEN_LOOKS_SECONDS)
    assert scene.watches.replacements == 0
    scene.broker.report("a", topic_id="AAAAAAAAAAAAAAAAAAAAAC")
    scene.broker.report("b")
    scene.turn()
    scene.turn()
    assert scene.watches.replacements == 1


def test_a_topic_created_again_while_it_was_not_held_is_counted_when_it_is_held_again() -> None:
    scene = Scene()
    for topic_id in (LOG.topic_id, "AAAAAAAAAAAAAAAAAAAAAC"):
        scene.watches.of("found-by-a-pattern").look_soon()
        scene.turn(BETWEEN_LOOKS_SECONDS)
        scene.broker.report("found-by-a-pattern", topic_id=topic_id)
        scene.turn()
        scene.watches.keep([])
    assert scene.watches.replacements == 1
