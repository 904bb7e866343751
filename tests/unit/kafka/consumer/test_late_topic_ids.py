"""A partition is not read before its log is known: the topic's id is part of its events' ids."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from testkit.clock import FakeClock
from worker.kafka.client.commit_note import CommitNote
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.positions import Positions
from worker.kafka.consumer.topic_watches import TopicWatches
from worker.settings import Start
from worker.types import Assignment

TOPIC = "comments"
LOG, OTHER_LOG = "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAC"
POSITION = 40


class Broker:
    """Describes the topic when a test lets it, and knows the group's offset of each partition.

    Attributes:
        answers: Whether it answers requests for the group's offsets.
    """

    def __init__(self, committed_in: str) -> None:
        self.answers = True
        self._note = str(CommitNote(committed_in, 1))
        self._asked: list[Future[Any]] = []

    def describe(self, topics: Iterable[str]) -> dict[str, Future[Any]]:
        self._asked.append(Future())
        return dict.fromkeys(topics, self._asked[-1])

    def report(self, topic_id: str) -> None:
        self._asked[-1].set_result(SimpleNamespace(topic_id=topic_id, partitions=[0]))

    def refuse(self, code: int) -> None:
        self._asked[-1].set_exception(KafkaException(KafkaError(code)))

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        del timeout
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [TopicPartition(p.topic, p.partition, POSITION, self._note) for p in partitions]

    def ends(self, _: Any) -> Any:
        return SimpleNamespace(done=lambda: False)

    def group_offsets(self, _: Any) -> Future[Any]:
        return Future()


class Moves:
    """Stands in for `Rebalances`: notes where partitions are moved to."""

    def __init__(self) -> None:
        self.made: list[tuple[str, int]] = []

    def move(self, _: Consumer, assignment: Assignment, offset: int) -> None:
        self.made.append((assignment.topic_id, offset))

    def restart(self, _: Consumer, assignments: Sequence[Assignment], topic_ids: Mapping[str, str]) -> list[Assignment]:
        raise AssertionError((assignments, topic_ids))


class Scene:
    """A partition that has been assigned while no broker said which log it has."""

    def __init__(self, committed_in: str = LOG, *, group_answers: bool = True) -> None:
        self.clock = FakeClock()
        self.broker = Broker(committed_in)
        self.broker.answers = group_answers
        self.moves = Moves()
        self._consumer = cast("Any", self.broker)
        queries: Any = self.broker
        assignments = Assignments(TOPIC)
        watches = TopicWatches([TOPIC], queries, self.clock)
        self.positions = Positions(Start.LATEST, assignments, watches, queries, self.clock)
        starts = self.positions.starts(self._consumer, [TopicPartition(TOPIC, 0)])
        (self.assignment,) = assignments.begin([(p.topic, p.partition) for p in starts.offsets], starts.topic_ids)
        self.held = self.positions.begun([self.assignment], starts)

    def turn(self, seconds: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.positions.keep(self._consumer, self.moves)


@pytest.fixture(autouse=True)
def _no_time_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.kafka.consumer.positions.CALL_SECONDS", 0.0)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_partition_whose_log_is_not_known_in_time_is_held_until_it_is(scene: Scene) -> None:
    scene.turn()
    assert scene.held == [scene.assignment]
    assert scene.positions.busy
    assert scene.positions.waits(scene.assignment)
    assert scene.moves.made == []
    scene.broker.report(LOG)
    scene.turn()
    assert scene.moves.made == [(LOG, POSITION)]
    assert not scene.positions.busy


def test_an_offset_of_another_log_is_found_out_though_the_id_comes_late() -> None:
    scene = Scene(committed_in=OTHER_LOG)
    scene.broker.report(LOG)
    scene.turn()
    assert scene.moves.made == [], "the new log is looked at first"
    assert scene.positions.waits(scene.assignment)


def test_a_broker_that_may_not_describe_the_topic_does_not_hold_it_for_ever(scene: Scene) -> None:
    scene.broker.refuse(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    scene.turn()
    assert scene.moves.made == [("", POSITION)]


def test_a_question_that_timed_out_is_asked_again(scene: Scene) -> None:
    scene.broker.refuse(KafkaError._TIMED_OUT)
    scene.turn(3.0)
    assert scene.positions.waits(scene.assignment)
    scene.broker.report(LOG)
    scene.turn()
    assert scene.moves.made == [(LOG, POSITION)]


def test_the_groups_offsets_are_asked_for_again_too() -> None:
    scene = Scene(group_answers=False)
    scene.broker.report(LOG)
    scene.turn()
    assert scene.positions.waits(scene.assignment)
    scene.broker.answers = True
    scene.turn(1.0)
    assert scene.moves.made == [(LOG, POSITION)]


def test_a_partition_taken_away_meanwhile_is_forgotten(scene: Scene) -> None:
    scene.assignment.owned = False
    scene.broker.report(LOG)
    scene.turn()
    assert scene.moves.made == []
    assert not scene.positions.busy


def test_librdkafkas_own_search_for_an_offset_does_not_place_it_meanwhile(scene: Scene) -> None:
    scene.positions.lost(scene.assignment, None)
    scene.broker.report(LOG)
    scene.turn()
    assert scene.moves.made == [(LOG, POSITION)]
