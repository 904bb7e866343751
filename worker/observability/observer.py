"""Turns what the loop and the model report into metrics and health."""

from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from worker.observability.batch_metrics import BatchCounts, record_settled
from worker.observability.health import Health
from worker.observability.metrics import LOOP_PHASES, Metrics
from worker.protocols import Clock, WallClock
from worker.types import Assignment, Batch, Record, Settled

log = structlog.stdlib.get_logger(__name__)


class WorkerObserver:
    """A `LoopObserver`, called on the poll thread, and a `ScoringObserver`, called on the inference threads.

    Args:
        metrics: Where it counts.
        health: Gets the facts.
        only_topic: The input topic, where it is one by name; None where records are counted for each topic.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch, for timestamps and latencies.
        watch: Called after each turn of the loop; copies what source and model count for themselves.
        count: Called with the counts of each batch that is settled.
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        only_topic: str | None,
        clock: Clock,
        wall_clock: WallClock,
        watch: Callable[[], None] = lambda: None,
        count: Callable[[BatchCounts], None] = lambda _: None,
    ) -> None:
        self._watch = watch
        self._count = count
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._wall_clock = wall_clock
        self._of_only_topic = metrics.records_consumed.labels(only_topic) if only_topic is not None else None
        self._phases = {name: metrics.loop_seconds.labels(name) for name in LOOP_PHASES}
        self._assigned: set[Assignment] = set()
        self._published_at: dict[Batch, float] = {}
        self._records_in_flight = 0

    def consumed(self, polled: Sequence[tuple[Record, Assignment]]) -> None:
        """These records were polled."""
        if self._of_only_topic is not None:
            self._of_only_topic.inc(len(polled))
            return
        for topic, records in Counter(assignment.topic for _, assignment in polled).items():
            self._metrics.records_consumed.labels(topic).inc(records)

    def published(self, batch: Batch) -> None:
        """A batch's outcomes are on their way."""
        self._published_at[batch] = self._clock()

    def settled(self, settled: Settled) -> None:
        """A batch's outcomes are acknowledged and its offsets handed to the group, which may yet refuse them."""
        published_at = self._published_at.pop(settled.batch, None)
        if published_at is not None:
            self._metrics.produce_duration_seconds.observe(self._clock() - published_at)
        counts = record_settled(self._metrics, settled.outcomes, self._wall_clock())
        self._count(counts)
        if counts.rejected:
            reasons = {f"{stage}/{error}": number for (stage, error), number in counts.dead.items()}
            log.info("dead letters", count=counts.rejected, of=counts.settled, reasons=reasons)

    def turned(self, records: int, value_bytes: int) -> None:
        """The loop has turned once; so many records, and bytes of their values, are polled but not yet settled."""
        self._health.tick()
        self._watch()
        if records == self._records_in_flight == 0:
            return
        if records == 0:
            # Batches abandoned at the end never settle; none may stay here.
            self._published_at.clear()
        self._records_in_flight = records
        self._health.in_flight(records)
        self._metrics.in_flight_records.set(records)
        self._metrics.in_flight_bytes.set(value_bytes)

    def paused(self, now: bool) -> None:
        """Partitions were paused or resumed."""
        self._metrics.consumer_paused.set(now)

    def rebalanced(self, event: str, assignments: Sequence[Assignment], drain_seconds: float) -> None:
        """`assign`, `revoke` or `lost` was served."""
        self._metrics.rebalances.labels(event).inc()
        if event == "assign":
            self._assigned.update(assignments)
        else:
            self._assigned.difference_update(assignments)
            for assignment in assignments:
                self._metrics.forget_lag(assignment.topic, assignment.partition)
        if event == "revoke":
            self._metrics.rebalance_drain_seconds.observe(drain_seconds)
        self._metrics.assigned_partitions.set(len(self._assigned))
        self._health.progressed()

    def phase(self, name: str, seconds: float) -> None:
        """The loop spent so long in a phase; a poll with nothing in flight counts as `idle`."""
        if name == "poll":
            self._metrics.last_poll_timestamp_seconds.set(self._wall_clock())
            name = "poll" if self._records_in_flight else "idle"
        self._phases[name].inc(seconds)

    def draining(self) -> None:
        """No more is polled; what is in flight is being finished."""
        self._health.draining()

    def scoring_started(self, batch: int, texts: int) -> None:
        """A batch enters the model, unless all its records are rejected already."""
        if texts:
            self._health.inference_started(batch)

    def scoring_finished(self, batch: int, texts: int, tokens: int, seconds: float) -> None:
        """The batch has left the model; its texts held so many tokens."""
        self._health.inference_finished(batch)
        if texts:
            self._metrics.batches.inc()
            self._metrics.batch_size_records.observe(texts)
            self._metrics.batch_tokens.observe(tokens)
            self._metrics.inference_duration_seconds.observe(seconds)
