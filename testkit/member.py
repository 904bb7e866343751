"""A member of a consumer group for contract tests: a real source and publisher that the test drives step by step."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from confluent_kafka import Producer

from testkit.kafka import eventually
from worker.events.dead_letter import DeadLetterEncoder
from worker.events.tombstone import TombstoneEncoder
from worker.kafka.consumer.source import KafkaSource
from worker.kafka.delivery.publishers import make_publisher
from worker.settings import Settings
from worker.stream.circuit_breaker import Breaker
from worker.types import (
    Assignment,
    Batch,
    Classification,
    Labelled,
    Outcome,
    Outgoing,
    Record,
    Rejected,
    Settled,
    Skipped,
    TextFacts,
    next_offsets,
)

if TYPE_CHECKING:
    from worker.protocols import Publisher

PATIENCE_SECONDS = 240.0
NO_LABELS = Classification({}, (), TextFacts(0, 0, False))

Judge = Callable[[Record, Assignment], Outcome]


def as_labelled(record: Record, assignment: Assignment) -> Outcome:
    """Label every record, except tombstones."""
    if record.value() is None:
        return Skipped(record, assignment)
    return Labelled(record, assignment, "c", "", NO_LABELS)


def forward_deletions(record: Record, assignment: Assignment) -> Outcome:
    """Label every record, and let tombstones go on to the output topic."""
    if record.value() is None:
        return Skipped(record, assignment, forwarded=True)
    return as_labelled(record, assignment)


def position(outcome: Outcome) -> str:
    record = outcome.record
    return f"{record.topic()}/{record.partition()}/{record.offset()}"


class Member:
    """Joins the group at once; `step` polls, `publish` delivers the polled records, `settle` serves reports."""

    def __init__(
        self,
        settings: Settings,
        judge: Judge = as_labelled,
        enlarge: Callable[[Outcome], bytes] | None = None,
    ) -> None:
        self.settings = settings
        self.events: list[tuple[str, list[int]]] = []
        self.polled: list[tuple[Record, Assignment]] = []
        self.settled: list[Settled] = []
        self._judge = judge
        self._enlarge = enlarge
        self._tombstone = TombstoneEncoder(settings.output.topic)
        self._dead_letter = DeadLetterEncoder(settings, task_id="t", model_id="m", clock=time.time)
        self.source = KafkaSource(settings, clock=time.monotonic, sleep=time.sleep, uniform=random.uniform)
        self.publisher: Publisher = make_publisher(
            settings,
            self.source,
            self.encode,
            Breaker(settings.dead_letters),
            clock=time.monotonic,
            sleep=time.sleep,
            uniform=random.uniform,
        )
        self.source.subscribe(self)

    def encode(self, outcome: Outcome) -> Outgoing | None:
        if isinstance(outcome, Rejected):
            return self._dead_letter.encode(outcome)
        if isinstance(outcome, Skipped):
            return self._tombstone.encode(outcome)
        value = self._enlarge(outcome) if self._enlarge else outcome.record.value()
        headers: list[tuple[str, bytes | None]] = [("position", position(outcome).encode())]
        return Outgoing(self.settings.output.topic, outcome.record.key(), value, headers, 0)

    def step(self, limit: int = 500, timeout_seconds: float = 0.05) -> list[tuple[Record, Assignment]]:
        polled = self.source.poll(limit, timeout_seconds)
        self.polled += polled
        return polled

    def step_until(self, condition: Callable[[], bool], *others: "Member") -> None:
        """Poll, together with the other members, until the condition holds."""

        def turn() -> bool:
            for member in (self, *others):
                member.step()
            return condition()

        assert eventually(turn, PATIENCE_SECONDS, 0.0), f"no progress: {[m.events for m in (self, *others)]}"

    def publish(self) -> None:
        """Publish everything that was polled and not yet published, as one batch."""
        polled, self.polled = self.polled, []
        outcomes = [self._judge(record, assignment) for record, assignment in polled]
        if outcomes:
            self.publisher.publish(Batch(outcomes, next_offsets(outcomes), len(outcomes)))

    def settle(self) -> None:
        """Poll until nothing is pending and the last commit is answered."""

        def turn() -> bool:
            self.step()
            self.settled += self.publisher.settle(0.05)
            return self.publisher.pending == 0

        assert eventually(turn, PATIENCE_SECONDS, 0.0), "a batch does not settle"
        assert self.source.flush_commits(PATIENCE_SECONDS)

    def consume(self, records: int) -> None:
        """Read, publish and commit this many records."""
        self.step_until(lambda: len(self.polled) >= records)
        self.publish()
        self.settle()

    def close(self) -> None:
        self.publisher.close()
        self.source.close()

    def on_assigned(self, assignments: Sequence[Assignment]) -> None:
        self.events.append(("assign", [a.partition for a in assignments]))

    def on_revoked(self, assignments: Sequence[Assignment]) -> None:
        """Finish and commit what is in flight, as the worker does."""
        self.events.append(("revoke", [a.partition for a in assignments]))
        self.publish()

        def settled() -> bool:
            self.publisher.settle(0.02)
            return self.publisher.pending == 0

        eventually(settled, 30, 0.0)
        self.source.flush_commits(30)

    def on_lost(self, assignments: Sequence[Assignment]) -> None:
        self.events.append(("lost", [a.partition for a in assignments]))

    @property
    def partitions(self) -> set[int]:
        return {a.partition for a in self.source.assigned}

    @property
    def positions(self) -> list[str]:
        return [f"{r.topic()}/{r.partition()}/{r.offset()}" for r, _ in self.polled]


def produce(
    servers: str, topic: str, records: Iterable[dict[str, Any]], *, partitioner: str = "consistent_random"
) -> None:
    """Produce records and wait until all are acknowledged. A record is the keyword arguments of `Producer.produce`."""
    producer = Producer(
        {"bootstrap.servers": servers, "enable.idempotence": True, "partitioner": partitioner, "log_level": 0}
    )
    failed: list[Any] = []

    def report(error: Any, _: Any) -> None:
        if error is not None:
            failed.append(error)

    for each in records:
        producer.produce(topic, on_delivery=report, **each)
        producer.poll(0)
    producer.flush()
    assert not failed, failed
