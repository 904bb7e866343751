"""What librdkafka is told in a rebalance, and what the listener finds when it hears of it."""

from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from worker.errors import DrainDeadlinePassed
from worker.kafka.consumer.assignments import Assignments
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.kafka.consumer.positions import Starts
from worker.kafka.consumer.rebalances import Rebalances
from worker.settings import KafkaSettings
from worker.types import Assignment


class Calls:
    """A consumer and a listener that write down, in order, what they are told."""

    def __init__(self) -> None:
        self.made: list[tuple[str, list[int]]] = []
        self.owned: dict[str, list[bool]] = {}

    def __getattr__(self, name: str) -> Any:
        def call(partitions: Sequence[Any]) -> None:
            self.made.append((name, [p.partition for p in partitions]))
            if name.startswith("on_"):
                self.owned[name] = [a.owned for a in partitions]

        return call


class AsTheyAre:
    """Every partition begins where librdkafka says, except those on hold."""

    def __init__(self, *held: int) -> None:
        self.held = held

    def starts(self, consumer: Any, partitions: Sequence[TopicPartition]) -> Starts:
        del consumer
        return Starts({}, list(partitions))

    def begun(self, assignments: Sequence[Assignment], starts: Starts) -> list[Assignment]:
        del starts
        return [a for a in assignments if a.partition in self.held]


def serving(calls: Any) -> Rebalances:
    rebalances = Rebalances("t", Assignments("t"), BrokerAvailability(KafkaSettings(), lambda: 0.0), AsTheyAre())
    rebalances.set_listener(calls)
    return rebalances


def partitions(*numbers: int) -> list[TopicPartition]:
    return [TopicPartition("t", number) for number in numbers]


def test_what_is_revoked_is_owned_while_the_listener_finishes_it_and_unassigned_after() -> None:
    calls: Any = Calls()
    rebalances = serving(calls)
    rebalances.serve_assign(calls, partitions(0, 1))
    rebalances.serve_revoke(calls, partitions(1))
    assert calls.made == [
        ("incremental_assign", [0, 1]),
        ("on_assigned", [0, 1]),
        ("on_revoked", [1]),
        ("incremental_unassign", [1]),
    ]
    assert calls.owned["on_revoked"] == [True]


def test_what_is_lost_is_no_longer_owned_when_the_listener_hears_of_it() -> None:
    calls: Any = Calls()
    rebalances = serving(calls)
    rebalances.serve_assign(calls, partitions(0, 1))
    rebalances.serve_lost(calls, partitions(0, 1))
    assert calls.owned["on_lost"] == [False, False]


def test_a_pause_covers_what_is_assigned_later_and_is_undone_before_anything_is_given_away() -> None:
    calls: Any = Calls()
    rebalances = serving(calls)
    rebalances.serve_assign(calls, partitions(0))
    rebalances.pause(calls)
    rebalances.serve_assign(calls, partitions(1))
    rebalances.serve_revoke(calls, partitions(0))
    told_consumer = [made for made in calls.made if not made[0].startswith("on_")]
    assert told_consumer == [
        ("incremental_assign", [0]),
        ("pause", [0]),
        ("incremental_assign", [1]),
        ("pause", [1]),
        ("resume", [0]),
        ("incremental_unassign", [0]),
    ]


def test_librdkafka_has_its_answer_also_when_the_listener_fails() -> None:
    class Failing(Calls):
        def on_revoked(self, _: Sequence[Assignment]) -> None:
            message = "too late"
            raise DrainDeadlinePassed(message)

    calls: Any = Failing()
    rebalances = serving(calls)
    rebalances.serve_assign(calls, partitions(0))
    rebalances.serve_revoke(calls, partitions(0))
    assert calls.made[-1] == ("incremental_unassign", [0])
    with pytest.raises(DrainDeadlinePassed):
        raise rebalances.fault or AssertionError


def test_once_ended_nothing_is_held_and_nobody_is_told() -> None:
    calls: Any = Calls()
    rebalances = serving(calls)
    rebalances.serve_assign(calls, partitions(0))
    calls.made.clear()
    rebalances.end()
    rebalances.serve_revoke(calls, partitions(0))
    assert calls.made == [("incremental_unassign", [0])]


def test_a_partition_without_a_place_is_not_read_before_it_is_moved_to_one() -> None:
    calls: Any = Calls()
    rebalances = Rebalances("t", Assignments("t"), BrokerAvailability(KafkaSettings(), lambda: 0.0), AsTheyAre(1))
    rebalances.set_listener(calls)
    rebalances.serve_assign(calls, partitions(0, 1))
    rebalances.pause(calls)
    rebalances.resume(calls)
    (waiting,) = [a for a in rebalances._held() if a.partition == 1]
    rebalances.move(calls, waiting, 7)
    told_consumer = [made for made in calls.made if not made[0].startswith("on_")]
    assert told_consumer == [
        ("incremental_assign", [0, 1]),
        ("pause", [1]),
        ("pause", [0, 1]),
        ("resume", [0]),
        ("resume", [1]),
        ("incremental_unassign", [1]),
        ("incremental_assign", [1]),
    ]


def test_what_is_in_flight_is_finished_under_the_old_assignment_before_another_log_is_read() -> None:
    calls: Any = Calls()
    rebalances = serving(calls)
    rebalances.serve_assign(calls, partitions(0))
    (old,) = rebalances._held()
    (new,) = rebalances.restart(calls, [old], {"t": "another-id"})
    assert calls.made[2:] == [("on_revoked", [0]), ("pause", [0]), ("on_assigned", [0])]
    assert calls.owned["on_revoked"] == [True]
    assert (old.owned, new.owned, new.topic_id) == (False, True, "another-id")
