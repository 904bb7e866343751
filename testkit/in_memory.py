"""A source and a publisher in memory for tests of the loop: no broker, no threads, and every call is recorded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from testkit.records import record
from worker.facts import DeliveryFacts, GroupFacts
from worker.protocols import RebalanceListener, Source
from worker.types import Assignment, Batch, Outcome, Record, Settled


class InMemorySource:
    """Partitions as lists of values; rebalances happen inside `poll`, as in Kafka, when the test asks for them."""

    def __init__(self, partitions: dict[int, list[bytes | None]], topic: str = "comments") -> None:
        self.topic = topic
        self.partitions = partitions
        self.owned: dict[int, Assignment] = {}
        self.positions: dict[int, int] = {}
        self.committed: dict[int, int] = {}
        self.commits_refused: list[tuple[int, int]] = []
        self.events: list[Callable[[], None]] = [lambda: self.assign(*partitions)]
        self.paused = False
        self.pauses = 0
        self.closed = False
        self.epoch = 0
        self.listener: RebalanceListener | None = None

    def subscribe(self, listener: RebalanceListener) -> None:
        self.listener = listener

    def assign(self, *partitions: int) -> None:
        assert self.listener
        fresh = []
        for partition in partitions:
            self.epoch += 1
            fresh.append(Assignment(self.topic, partition, self.epoch))
            self.owned[partition] = fresh[-1]
            self.positions[partition] = self.committed.get(partition, 0)
        self.listener.on_assigned(fresh)

    def revoke(self, *partitions: int) -> None:
        assert self.listener
        self.listener.on_revoked([self.owned[partition] for partition in partitions])
        for partition in partitions:
            self.owned.pop(partition).owned = False

    def lose(self, *partitions: int) -> None:
        assert self.listener
        gone = [self.owned.pop(partition) for partition in partitions]
        for assignment in gone:
            assignment.owned = False
        self.listener.on_lost(gone)

    def poll(self, limit: int, timeout_seconds: float) -> list[tuple[Record, Assignment]]:
        del timeout_seconds
        if self.events:
            self.events.pop(0)()
        polled: list[tuple[Record, Assignment]] = []
        if self.paused:
            return polled
        for partition, assignment in self.owned.items():
            values = self.partitions[partition]
            while self.positions[partition] < len(values) and len(polled) < limit:
                offset = self.positions[partition]
                polled.append((record(values[offset], partition=partition, offset=offset), assignment))
                self.positions[partition] += 1
        return polled

    def commit(self, offsets: Mapping[Assignment, int]) -> None:
        for assignment, offset in offsets.items():
            if assignment.owned:
                self.committed[assignment.partition] = offset
            else:
                self.commits_refused.append((assignment.partition, offset))

    def flush_commits(self, timeout_seconds: float) -> bool:
        del timeout_seconds
        return True

    def facts(self) -> GroupFacts:
        return GroupFacts("steady", True, True, {}, 0, 0)

    def pause(self) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closed = True


class InMemoryPublisher:
    """Acknowledges a batch `delay` calls to `settle` after it was published."""

    def __init__(self, source: Source, delay: int = 0) -> None:
        self.source = source
        self.delay = delay
        self.waiting: list[tuple[Settled, list[int]]] = []
        self.published: list[Outcome] = []
        self.closed = False

    @property
    def pending(self) -> int:
        return len(self.waiting)

    def publish(self, batch: Batch) -> None:
        owned = batch.owned_outcomes()
        self.published += owned
        self.waiting.append((Settled(batch, owned), [self.delay]))

    def settle(self, timeout_seconds: float) -> list[Settled]:
        del timeout_seconds
        settled = []
        while self.waiting and self.waiting[0][1][0] <= 0:
            one, _ = self.waiting.pop(0)
            self.source.commit(one.batch.offsets)
            settled.append(one)
        if self.waiting:
            self.waiting[0][1][0] -= 1
        return settled

    def facts(self) -> DeliveryFacts:
        return DeliveryFacts()

    def close(self) -> None:
        self.closed = True


class SilentObserver:
    """Implements both observers and ignores everything."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_args, **_kwargs: None


def identities(outcomes: Sequence[Any]) -> list[tuple[int, int]]:
    """Partition and offset of each outcome."""
    return [(outcome.record.partition(), outcome.record.offset()) for outcome in outcomes]
