"""Where partitions are read from, whatever becomes of their log: the rows of the table of start rules.

`worker.kafka.consumer.start_rules.RULES` is the table; docs/explanation/positions.md shows it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from testkit.kafka import Kafka, admin_client, eventually
from testkit.member import Member, produce
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.errors import Fatal

pytestmark = pytest.mark.kafka

ALL = set(range(PARTITIONS))
PATIENCE_SECONDS = 40
STARTS = ["earliest", "latest", "error"]
GUARANTEES = ["at-least-once", "exactly-once"]


@cache
def admin(group: Group) -> AdminClient:
    """One for each group: a client that is let go of takes its answers with it."""
    return admin_client(group.backend.bootstrap_servers)


def cluster(group: Group) -> Kafka:
    assert group.backend.real is not None
    return group.backend.real


def idle_until(member: Member, condition: Callable[[], bool]) -> None:
    """Poll, and publish what comes, until the condition holds."""

    def turn() -> bool:
        member.step()
        member.publish()
        member.settled += member.publisher.settle(0.02)
        return condition()

    assert eventually(turn, PATIENCE_SECONDS, 0.0), (member.events, group_state(member))


def group_state(member: Member) -> tuple[int, Mapping[tuple[str, int], int]]:
    return len(member.polled), member.source.facts().lag_records


def set_group_offset(group: Group, partition: int, offset: int, metadata: str = "") -> None:
    """As `kafka-consumer-groups --reset-offsets` does, for a group without members."""
    at = TopicPartition(group.input, partition, offset, metadata)
    request = ConsumerGroupTopicPartitions(group.name, [at])

    def done() -> bool:
        answer = admin(group).alter_consumer_group_offsets([request])[group.name].result(PATIENCE_SECONDS)
        return all(p.error is None for p in answer.topic_partitions)

    assert eventually(done, PATIENCE_SECONDS)  # the coordinator of a new group may be loading


def remove_before(group: Group, offset: int, partitions: Iterable[int] = ALL) -> None:
    """As retention does."""
    asked = [TopicPartition(group.input, number, offset) for number in partitions]
    for answer in admin(group).delete_records(asked).values():
        answer.result(PATIENCE_SECONDS)


def recreate(group: Group, partitions: int = PARTITIONS) -> None:
    cluster(group).delete_topic(group.input)
    cluster(group).create_topic(group.input, partitions)


def test_a_first_start_at_the_end_is_committed_at_once_so_a_restart_loses_nothing(real_group: Group) -> None:
    real_group.fill(5)
    first = real_group.join(input={"start": "latest"})
    first.step_until(lambda: real_group.committed() == dict.fromkeys(ALL, 5))
    assert first.source.facts().lag_records.keys() <= {(real_group.input, number) for number in ALL}
    first.close()
    real_group.fill(3)
    second = real_group.join(input={"start": "latest"})
    second.step_until(lambda: len(second.polled) == 3 * PARTITIONS)
    assert {record.offset() for record, _ in second.polled} == {5, 6, 7}


def test_a_first_start_at_the_beginning_is_committed_before_anything_is_read(real_group: Group) -> None:
    real_group.fill(5)
    member = real_group.join()
    member.step_until(lambda: bool(member.polled))
    assert real_group.places().items() >= {record.partition(): 0 for record, _ in member.polled}.items()


@pytest.mark.parametrize("start", STARTS)
def test_partitions_added_are_read_from_their_first_record_within_seconds(real_group: Group, start: str) -> None:
    real_group.fill(2)
    for number in ALL if start == "error" else ():
        set_group_offset(real_group, number, 2)
    member = real_group.join(input={"start": start})
    idle_until(member, lambda: real_group.committed() == dict.fromkeys(ALL, 2))
    added = time.monotonic()
    admin(real_group).create_partitions([NewPartitions(real_group.input, PARTITIONS + 1)])[real_group.input].result(60)
    records = [{"value": b"%d" % n, "partition": PARTITIONS} for n in range(30)]
    # The broker may take a moment to lead it; what is sent within that moment must be read as well.
    produce(real_group.backend.bootstrap_servers, real_group.input, records)
    idle_until(member, lambda: len([p for p in real_group.published() if f"/{PARTITIONS}/" in p]) == 30)
    assert time.monotonic() - added < 30
    assert not any(member.source.facts().positions_moved.values())


@pytest.mark.parametrize("start", ["earliest", "latest"])
def test_retention_that_overtook_the_group_costs_what_it_took_and_no_more(real_group: Group, start: str) -> None:
    real_group.fill(30)
    for number in ALL:
        set_group_offset(real_group, number, 5)
    remove_before(real_group, 20)
    member = real_group.join(input={"start": start})
    member.step_until(lambda: len(member.polled) == 10 * PARTITIONS)
    assert {record.offset() for record, _ in member.polled} == set(range(20, 30))
    assert member.source.facts().records_skipped == {"retention": 15 * PARTITIONS}
    assert member.source.facts().positions_moved["below_start"] == PARTITIONS
    assert real_group.committed() == dict.fromkeys(ALL, 20)  # so the lag counts what is there


def test_what_retention_took_of_an_added_partition_before_it_was_first_read_is_counted(real_group: Group) -> None:
    real_group.fill(5)
    first = real_group.join()
    first.consume(5 * PARTITIONS)
    first.close()
    admin(real_group).create_partitions([NewPartitions(real_group.input, PARTITIONS + 1)])[real_group.input].result(60)
    records = [{"value": b"%d" % n, "partition": PARTITIONS} for n in range(30)]
    produce(real_group.backend.bootstrap_servers, real_group.input, records)
    remove_before(real_group, 20, [PARTITIONS])
    second = real_group.join()
    second.step_until(lambda: len(second.polled) == 10)
    assert {record.offset() for record, _ in second.polled} == set(range(20, 30))
    assert second.source.facts().records_skipped == {"retention": 20}
    assert second.source.facts().positions_moved["below_start"] == 1


def test_a_worker_overtaken_by_retention_publishes_what_it_had_polled(real_group: Group) -> None:
    real_group.fill(10)
    member = real_group.join({"max.poll.interval.ms": 300_000})
    member.step_until(lambda: len(member.polled) == 10 * PARTITIONS)
    member.source.pause()
    real_group.fill(20)
    remove_before(real_group, 20)
    member.source.resume()
    member.step_until(lambda: len(member.polled) == 20 * PARTITIONS)
    assert real_group.places() == dict.fromkeys(ALL, 0)  # nothing is passed over that is still in flight
    member.publish()
    member.settle()
    expected = [f"{real_group.input}/{p}/{n}" for p in ALL for n in [*range(10), *range(20, 30)]]
    assert sorted(real_group.published()) == sorted(expected)
    assert real_group.committed() == dict.fromkeys(ALL, 30)
    assert member.source.facts().records_skipped == {"retention": 10 * PARTITIONS}


@pytest.mark.parametrize("start", ["earliest", "latest"])
def test_a_position_above_the_logs_end_goes_back_to_its_first_record(real_group: Group, start: str) -> None:
    real_group.fill(10)
    for number in ALL:
        set_group_offset(real_group, number, 500)
    member = real_group.join(input={"start": start})
    member.consume(10 * PARTITIONS)
    assert sorted(real_group.published()) == real_group.everything(10)
    assert real_group.committed() == dict.fromkeys(ALL, 10)
    assert member.source.facts().positions_moved["above_end"] == PARTITIONS


@pytest.mark.parametrize("offset", [5, 500])
def test_a_worker_that_must_not_guess_exits_with_the_position_and_the_cure(real_group: Group, offset: int) -> None:
    real_group.fill(30)
    for number in ALL:
        set_group_offset(real_group, number, offset)
    remove_before(real_group, 20)
    member = real_group.join(input={"start": "error"})
    with pytest.raises(Fatal, match=rf"offset {offset} in partition .* offsets 20 to 30.*reset-offsets"):
        member.step_until(lambda: False)
    assert real_group.committed() == dict.fromkeys(ALL, offset)


@pytest.mark.parametrize("guarantee", GUARANTEES)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("records", [20, 120])
def test_a_topic_created_again_is_read_from_its_first_record(
    real_group: Group, guarantee: str, start: str, records: int
) -> None:
    real_group.fill(50)
    for number in ALL:
        set_group_offset(real_group, number, 0)
    member = real_group.join(input={"start": start}, delivery={"guarantee": guarantee})
    member.consume(50 * PARTITIONS)
    recreate(real_group)
    real_group.fill(records)
    (old,) = {outcome.assignment.topic_id for batch in member.settled for outcome in batch.outcomes}

    def of_new_log() -> list[int | None]:
        outcomes = [outcome for batch in member.settled for outcome in batch.outcomes]
        return [outcome.record.offset() for outcome in outcomes if outcome.assignment.topic_id != old]

    idle_until(member, lambda: len(of_new_log()) >= records * PARTITIONS)
    member.settle()
    assert sorted(of_new_log(), key=str) == sorted([n for n in range(records) for _ in ALL], key=str)  # each once
    assert real_group.committed() == dict.fromkeys(ALL, records)
    assert member.source.facts().positions_moved["recreated"] == PARTITIONS
    member.close()
    second = real_group.join(input={"start": start}, delivery={"guarantee": guarantee})
    real_group.fill(1)
    second.step_until(lambda: len(second.polled) == PARTITIONS)
    assert {record.offset() for record, _ in second.polled} == {records}


def test_a_topic_that_is_gone_is_reported_once_and_read_when_it_is_back(
    real_group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    real_group.fill(5)
    member = real_group.join()
    member.consume(5 * PARTITIONS)
    cluster(real_group).delete_topic(real_group.input)
    member.step_until(lambda: bool(member.source.facts().topics_missing))
    deadline = time.monotonic() + 8  # long enough for the client to miss it, too
    while time.monotonic() < deadline:
        member.step()
    assert member.source.facts().topics_missing
    said = [r.getMessage() for r in caplog.records if "deleted" in r.getMessage() or "not exist" in r.getMessage()]
    assert len(said) == 1
    assert not [r for r in caplog.records if "connection to a broker failed" in r.getMessage()]
    cluster(real_group).create_topic(real_group.input, PARTITIONS)
    real_group.fill(3)
    before = len(member.settled)
    idle_until(member, lambda: sum(len(b.outcomes) for b in member.settled[before:]) == 3 * PARTITIONS)
    member.settle()
    assert real_group.committed() == dict.fromkeys(ALL, 3)
    assert not member.source.facts().topics_missing


def test_an_offset_that_was_committed_in_another_log_is_not_read_on_from(real_group: Group) -> None:
    real_group.fill(30)
    for number in ALL:  # of a mirrored or restored cluster, or of a commit that came after the deletion
        set_group_offset(real_group, number, 20, "topic-id=AAAAAAAAAAAAAAAAAAAAAQ;partitions=4")
    member = real_group.join(input={"start": "latest"})
    member.consume(30 * PARTITIONS)
    assert sorted(real_group.published()) == real_group.everything(30)
    assert member.source.facts().positions_moved["recreated"] == PARTITIONS


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_every_commit_says_which_log_it_belongs_to(real_group: Group, guarantee: str) -> None:
    real_group.fill(5)
    member = real_group.join(delivery={"guarantee": guarantee})
    member.consume(5 * PARTITIONS)
    request = ConsumerGroupTopicPartitions(real_group.name, [TopicPartition(real_group.input, n) for n in ALL])
    found = admin(real_group).list_consumer_group_offsets([request])[real_group.name].result(PATIENCE_SECONDS)
    (topic_id,) = {a.topic_id for a in member.source.assigned}
    assert {p.metadata for p in found.topic_partitions} == {f"topic-id={topic_id};partitions={PARTITIONS}"}
