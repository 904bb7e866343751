"""What `worker.protocols.Publisher` promises: at-least-once on every broker, exactly-once on a real one."""

import gc
import random
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from testkit.fatal import make_fatal
from testkit.kafka import eventually
from testkit.member import Member, as_labelled, forward_deletions, produce
from testkit.topic_reader import read_to_end
from tests.contract.backend import PARTITIONS, Backend
from tests.contract.group import Group
from worker.errors import Fatal, Retryable, SettingsInvalid
from worker.facts import DeliveryFacts
from worker.kafka.delivery.at_least_once import AtLeastOncePublisher
from worker.kafka.delivery.exactly_once import ExactlyOncePublisher
from worker.kafka.delivery.transactional_producer import TransactionalProducer, TransactionFailed, UnderWay
from worker.kafka.embedded.broker import EmbeddedBroker
from worker.settings import DeadLetterSettings
from worker.stream.circuit_breaker import Breaker
from worker.types import Assignment, Batch, Outcome, Outgoing, Record, Rejected, Stage, next_offsets

EXACTLY_ONCE = {"guarantee": "exactly-once"}


@pytest.fixture(
    params=["at-least-once", pytest.param("exactly-once", marks=[pytest.mark.kafka, pytest.mark.transactions])]
)
def delivery(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"guarantee": request.param}


def reject_odd(record: Record, assignment: Assignment) -> Outcome:
    """Records with an odd offset are dead letters."""
    if (record.offset() or 0) % 2:
        return Rejected(record, assignment, Stage.DECODE, "InvalidJson", "the value is not valid JSON")
    return as_labelled(record, assignment)


def test_every_outcome_is_published_and_then_its_offset_committed(group: Group, delivery: dict[str, Any]) -> None:
    group.fill(20)
    member = group.join(delivery=delivery, judge=reject_odd)
    member.consume(20 * PARTITIONS)
    dead = [dict(m.headers()) for m in read_to_end(group.backend.bootstrap_servers, group.dead_letters)]
    dead_positions = [h["dlq.origin"].decode() for h in dead]
    assert sorted(group.published() + dead_positions) == group.everything(20)
    assert all(int(p.rsplit("/", 1)[1]) % 2 for p in dead_positions)
    assert group.committed() == dict.fromkeys(range(PARTITIONS), 20)


def test_nothing_is_committed_before_it_is_settled(group: Group, delivery: dict[str, Any]) -> None:
    group.fill(5)
    member = group.join(delivery=delivery)
    member.step_until(lambda: len(member.polled) == 5 * PARTITIONS)
    member.publish()
    member.close()
    assert group.committed() == {}


def test_tombstones_move_the_offset_and_publish_nothing(group: Group, delivery: dict[str, Any]) -> None:
    produce(group.backend.bootstrap_servers, group.input, ({"value": None, "partition": 1} for _ in range(4)))
    member = group.join(delivery=delivery)
    member.consume(4)
    assert group.published() == []
    assert group.committed() == {1: 4}


def test_a_forwarded_tombstone_is_published_before_its_offset_is_committed(
    group: Group, delivery: dict[str, Any]
) -> None:
    values: list[bytes | None] = [b"x", None]
    records = ({"value": value, "key": b"k", "partition": 1} for value in values)
    produce(group.backend.bootstrap_servers, group.input, records)
    member = group.join(delivery=delivery, judge=forward_deletions)
    member.step_until(lambda: len(member.polled) == 2)
    member.publish()
    assert group.committed() == {}
    member.settle()
    found = read_to_end(group.backend.bootstrap_servers, group.output)
    assert [(message.key(), message.value()) for message in found] == [(b"k", b"x"), (b"k", None)]
    assert group.committed() == {1: 2}


def test_an_output_too_large_becomes_a_dead_letter(group: Group, delivery: dict[str, Any]) -> None:
    group.fill(3)
    member = group.join(
        {"message.max.bytes": 5000},
        delivery=delivery,
        enlarge=lambda outcome: bytes(10_000 if outcome.record.offset() == 1 else 10),
    )
    member.consume(3 * PARTITIONS)
    dead = read_to_end(group.backend.bootstrap_servers, group.dead_letters)
    assert [dict(m.headers())["__connect.errors.exception.class.name"] for m in dead] == [b"OutputTooLarge"] * 4
    assert {m.value() for m in dead} == {b"1"}
    assert sorted(group.published()) == [p for p in group.everything(3) if not p.endswith("/1")]
    assert group.committed() == dict.fromkeys(range(PARTITIONS), 3)


def test_a_dead_letter_too_large_stops_the_worker_and_commits_nothing(group: Group, delivery: dict[str, Any]) -> None:
    produce(group.backend.bootstrap_servers, group.input, [{"value": bytes(10_000), "partition": 0}] * 2)
    member = group.join({"message.max.bytes": 5000}, delivery=delivery, judge=reject_odd)
    with pytest.raises(Fatal, match=r"max\.message\.bytes"):
        member.consume(2)
    member.close()
    assert group.committed() == {}


def test_outcomes_of_a_partition_given_away_are_neither_published_nor_said_to_be(
    group: Group, delivery: dict[str, Any]
) -> None:
    group.fill(5)
    member = group.join(delivery=delivery)
    member.step_until(lambda: len(member.polled) == 5 * PARTITIONS)
    gone = member.source.assigned[0]
    gone.owned = False
    member.publish()
    member.settle()
    assert sorted(group.published()) == [p for p in group.everything(5) if f"/{gone.partition}/" not in p]
    assert group.committed() == {p: 5 for p in range(PARTITIONS) if p != gone.partition}
    (settled,) = member.settled
    assert {outcome.assignment for outcome in settled.outcomes} == set(member.source.assigned) - {gone}


def test_a_batch_that_lost_every_partition_settles_without_an_outcome(group: Group, delivery: dict[str, Any]) -> None:
    group.fill(5)
    member = group.join(delivery=delivery)
    member.step_until(lambda: len(member.polled) == 5 * PARTITIONS)
    for assignment in member.source.assigned:
        assignment.owned = False
    member.publish()
    member.settle()
    assert [list(settled.outcomes) for settled in member.settled] == [[]]
    assert group.published() == []


def test_a_key_goes_where_a_java_producer_sends_it(group: Group, delivery: dict[str, Any]) -> None:
    keys = [b"21", b"foobar", b"a-little-bit-long-string", b"", b"abc"]
    produce(group.backend.bootstrap_servers, group.input, ({"key": k, "value": b"x", "partition": 0} for k in keys))
    member = group.join(delivery=delivery)
    member.consume(len(keys))
    found = {m.key(): m.partition() for m in read_to_end(group.backend.bootstrap_servers, group.output)}
    # murmur2 as Kafka's own UtilsTest gives it, made positive, modulo four partitions.
    murmur2 = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"": 275646681}
    assert {k: found[k] for k in murmur2} == {k: (h & 0x7FFFFFFF) % PARTITIONS for k, h in murmur2.items()}


def test_batches_settle_in_order(group: Group, delivery: dict[str, Any]) -> None:
    group.fill(30)
    member = group.join(delivery=delivery)
    member.step_until(lambda: len(member.polled) == 30 * PARTITIONS)
    batches = []
    for start in range(0, len(member.polled), 10):
        outcomes = [as_labelled(r, a) for r, a in member.polled[start : start + 10]]
        batches.append(Batch(outcomes, next_offsets(outcomes), len(outcomes)))
        member.publisher.publish(batches[-1])
    member.polled.clear()
    assert member.publisher.pending == len(batches)
    member.settle()
    assert [settled.batch for settled in member.settled] == batches


def test_closing_abandons_what_is_pending_and_may_be_repeated(group: Group, delivery: dict[str, Any]) -> None:
    member = group.join(delivery=delivery)
    member.publisher.close()
    member.publisher.close()


def test_a_broken_producer_stops_an_at_least_once_worker_before_anything_is_committed(group: Group) -> None:
    group.fill(5)
    member = group.join()
    member.step_until(lambda: len(member.polled) == 5 * PARTITIONS)
    assert isinstance(member.publisher, AtLeastOncePublisher)
    make_fatal(member.publisher._producer, KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)
    with pytest.raises(Fatal, match=r"OUT_OF_ORDER_SEQUENCE_NUMBER.*read again"):
        member.settle()
    assert group.committed() == {}


@pytest.mark.kafka
class TestExactlyOnce:
    """What only transactions provide."""

    def test_a_broken_producer_is_replaced_and_nothing_is_duplicated(self, real_group: Group) -> None:
        member = _polled(real_group)
        publisher = _exactly_once(member)
        make_fatal(publisher._producer._producer, KafkaError.INVALID_PRODUCER_EPOCH)
        assert publisher.settle(0.1) == []  # idle: the error is met while there is nothing to do
        member.publish()
        member.settle()
        assert sorted(real_group.published()) == real_group.everything(10)
        assert publisher.facts() == DeliveryFacts(transactions_committed=1, transactions_aborted=1)

    def test_lag_counts_from_what_a_transaction_committed(self, real_group: Group) -> None:
        member = _polled(real_group)
        _exactly_once(member)
        member.publish()
        member.settle()
        member.step_until(
            lambda: member.source.facts().lag_records == {(real_group.input, number): 0 for number in range(PARTITIONS)}
        )

    def test_a_fenced_producer_is_replaced_and_nothing_is_duplicated(self, real_group: Group) -> None:
        member = _polled(real_group)
        publisher = _exactly_once(member)
        rival = TransactionalProducer(member.settings, publisher._transactional_id)
        _until_ready(rival)
        member.publish()
        member.settle()
        assert sorted(real_group.published()) == real_group.everything(10)
        assert publisher.facts().transactions_aborted >= 1
        rival.discard()

    def test_a_commit_whose_answer_is_lost_is_not_repeated(
        self, real_group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        member = _polled(real_group)
        publisher = _exactly_once(member)
        commit = TransactionalProducer.commit
        lost: list[None] = []

        def commit_and_lose_the_answer(producer: TransactionalProducer) -> None:
            commit(producer)
            if not lost:
                lost.append(None)
                message = "the answer was lost"
                raise TransactionFailed(message)

        monkeypatch.setattr(TransactionalProducer, "commit", commit_and_lose_the_answer)
        member.publish()
        member.settle()
        assert lost
        assert sorted(real_group.published()) == real_group.everything(10)
        assert publisher.facts() == DeliveryFacts(transactions_committed=1)

    def test_a_coordinator_that_does_not_answer_does_not_stop_the_polls(
        self, real_group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The commit is resumed as often as it takes."""
        kafka = real_group.backend.real
        assert kafka is not None
        member = _polled(real_group)
        publisher = _exactly_once(member)
        commit = TransactionalProducer.commit
        resumed: list[None] = []

        def commit_without_an_answer(producer: TransactionalProducer) -> None:
            if not resumed:
                kafka.nodes[0].pause()
            resumed.append(None)
            commit(producer)

        monkeypatch.setattr(TransactionalProducer, "commit", commit_without_an_answer)
        member.publish()
        try:
            while len(resumed) < 200:
                assert publisher.settle(0) == []
        finally:
            kafka.nodes[0].resume()
        member.settle()
        assert sorted(real_group.published()) == real_group.everything(10)
        assert publisher.facts() == DeliveryFacts(transactions_committed=1)

    def test_a_transaction_that_outlives_its_timeout_is_repeated_by_a_new_producer(
        self, real_group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The coordinator has aborted it by then, even if a call still waits for it."""
        member = _polled(real_group, transaction_timeout_seconds=2)
        publisher = _exactly_once(member)
        send_offsets = TransactionalProducer.send_offsets
        hanging = publisher._producer

        def hang(producer: TransactionalProducer, *arguments: Any) -> None:
            if producer is hanging:
                message = "no answer"
                raise UnderWay(message)
            send_offsets(producer, *arguments)

        monkeypatch.setattr(TransactionalProducer, "send_offsets", hang)
        member.publish()
        member.settle()
        assert sorted(real_group.published()) == real_group.everything(10)
        assert publisher.facts() == DeliveryFacts(transactions_committed=1, transactions_aborted=1)

    def test_what_was_sent_before_a_failure_is_never_seen(
        self, real_group: Group, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        member = _polled(real_group)
        send_offsets = TransactionalProducer.send_offsets
        failures: list[None] = []

        def fail_twice(producer: TransactionalProducer, *arguments: Any) -> None:
            if len(failures) < 2:
                assert producer.undelivered == 0  # everything is in the log of the broker
                failures.append(None)
                message = "the coordinator went"
                raise TransactionFailed(message)
            send_offsets(producer, *arguments)

        monkeypatch.setattr(TransactionalProducer, "send_offsets", fail_twice)
        member.publish()
        member.settle()
        servers = real_group.backend.bootstrap_servers
        assert len(read_to_end(servers, real_group.output, isolation="read_uncommitted")) == 3 * 10 * PARTITIONS
        assert sorted(real_group.published()) == real_group.everything(10)

    def test_no_transaction_is_open_while_idle(self, real_group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
        member = _polled(real_group)
        member.publish()
        member.settle()
        monkeypatch.setattr(TransactionalProducer, "begin", lambda _: pytest.fail("a transaction was begun"))
        for _ in range(20):
            member.step()
            assert member.publisher.settle(0.01) == []

    def test_a_member_that_lost_its_generation_commits_nothing(self, real_group: Group) -> None:
        member = _polled(real_group)
        member.publish()
        member.source.close()  # the group knows it no more, and its assignments are over
        assert [settled.batch.records for settled in member.publisher.settle(0)] == [10 * PARTITIONS]
        assert real_group.published() == []
        assert real_group.committed() == {}


def test_transactions_are_refused_on_the_embedded_broker(embedded: EmbeddedBroker, run_id: str) -> None:
    backend = Backend(embedded.bootstrap_servers, "classic", None)
    group = Group(backend, run_id)
    with pytest.raises(SettingsInvalid, match="at-least-once"):
        ExactlyOncePublisher(
            group.settings(delivery=EXACTLY_ONCE),
            source=None,  # type: ignore[arg-type] # it is not asked
            encode=lambda _: None,
            limit=Breaker(DeadLetterSettings()),
            transactional_id=str(uuid.uuid4()),
            clock=time.monotonic,
            sleep=time.sleep,
            uniform=random.uniform,
        )


def _polled(group: Group, **delivery: Any) -> Member:
    """An exactly-once member that has polled ten records of each partition."""
    group.fill(10)
    member = group.join(delivery=EXACTLY_ONCE | delivery)
    member.step_until(lambda: len(member.polled) == 10 * PARTITIONS)
    return member


def _exactly_once(member: Member) -> ExactlyOncePublisher:
    assert isinstance(member.publisher, ExactlyOncePublisher)
    return member.publisher


def _until_ready(producer: TransactionalProducer) -> None:
    def ready() -> bool:
        try:
            producer.initialize()
        except Retryable:
            return False
        return True

    assert eventually(ready)


def test_a_discarded_producer_takes_its_threads_and_connections_with_it_at_once(real_group: Group) -> None:
    """A worker looks for garbage seldom, so no reference cycle may keep a replaced client alive."""
    settings = real_group.settings(delivery=EXACTLY_ONCE)
    before = threads_of_clients()
    gc.disable()
    try:
        for _ in range(3):
            producer = TransactionalProducer(settings, f"discarded-{real_group.name}")
            _until_ready(producer)
            producer.begin()
            producer.produce(Outgoing(real_group.output, b"k", b"v", [], 0), lambda *_: None)
            producer.discard()
            del producer
        assert eventually(lambda: threads_of_clients() <= before, 60)
    finally:
        gc.enable()


def threads_of_clients() -> int:
    names = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # it has just ended
            names.append((task / "comm").read_text())
    return sum(name.startswith("rdk:") for name in names)
