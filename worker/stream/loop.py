"""The loop: poll -> batch -> classify -> publish -> settle.

One thread, this one, owns the consumer: it polls, serves rebalances (they come as callbacks inside `Source.poll`, and a
revoke drains there), publishes and settles. The model works beside it (`worker.stream.model_threads`). The publisher
commits: an offset moves only after the broker has acknowledged every outcome before it, and with exactly-once in the
same transaction.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from worker.errors import DrainDeadlinePassed
from worker.protocols import Clock, Encoded, LoopObserver, Publisher, RecordDecoder, Source
from worker.settings import DeliverySettings
from worker.stream.circuit_breaker import Breaker
from worker.stream.flag_rate import FlagRates
from worker.stream.flow_control import FlowControl
from worker.stream.held_records import HeldRecords
from worker.stream.model_change import ModelChange
from worker.stream.model_threads import ModelThreads
from worker.types import Assignment

E = TypeVar("E", bound=Encoded)

IDLE_POLL_SECONDS = 0.2
"""How long a poll waits when nothing is in flight; a record ends the wait at once, a stop signal at its end."""

BUSY_POLL_SECONDS = 0.002
"""How long it waits while the model works: the longest that a finished batch waits to be published."""

FULL_WAIT_SECONDS = 0.02
"""How long the loop waits for the model when it has neither room for records nor reports to serve; a finished batch
ends the wait at once. The shorter wait here took 2 % of a core."""


class Worker(Generic[E]):
    """Runs until asked to stop, then drains.

    Args:
        source: Records, and the commit of their offsets.
        publisher: Delivery of outcomes.
        model_threads: Tokenize and score.
        model_change: Puts another model in the place of the one that scores.
        decoder: From record to comment.
        breaker: Stops a worker that rejects too much, before the rejections are published.
        flag_rates: Watches how often labels come, and may stop the worker on it, likewise.
        flow: Bounds what is in flight.
        settings: Deadlines of draining.
        clock: Monotonic seconds.
        observer: Hears where the loop's time goes.
    """

    def __init__(
        self,
        *,
        source: Source,
        publisher: Publisher,
        model_threads: ModelThreads[E],
        model_change: ModelChange,
        decoder: RecordDecoder,
        breaker: Breaker,
        flag_rates: FlagRates,
        flow: FlowControl,
        settings: DeliverySettings,
        clock: Clock,
        observer: LoopObserver,
    ) -> None:
        self._source = source
        self._publisher = publisher
        self._model_threads = model_threads
        self._model_change = model_change
        self._held = HeldRecords(decoder)
        self._breaker = breaker
        self._flag_rates = flag_rates
        self._flow = flow
        self._settings = settings
        self._clock = clock
        self._observer = observer

    def run(self, stop_requested: Callable[[], bool]) -> None:
        """Work until `stop_requested()`, then finish, publish and commit what is in flight.

        Raises:
            DrainDeadlinePassed: Work was still in flight after `delivery.drain_seconds`; it was dropped, uncommitted.
            SluiceError: What stopped the worker; nothing beyond the acknowledged outcomes was committed.
        """
        self._model_threads.start()
        try:
            self._source.subscribe(self)
            while not stop_requested():
                if self._model_change.is_due():
                    self._change_model()
                self._take_in()
                self._send_out(self._patience())
                self._settle(0.0)
            self._observer.draining()
            if not self._drain(self._settings.drain_seconds):
                raise DrainDeadlinePassed(self._what_was_dropped())
        finally:
            # Whatever happened: a consumer that is not closed keeps its partitions until the session times out.
            with suppress(Exception):
                self._model_threads.stop()
            self._publisher.close()
            self._source.close()

    def _change_model(self) -> None:
        """Finish what is in flight, so that it has one model, and change; if that takes too long, at a later turn."""
        if self._drain(self._settings.revoke_seconds):
            self._model_change.make()

    def _patience(self) -> float:
        """Seconds to wait for the model: none while records can be polled, long while nothing else can happen."""
        if self._flow.room:
            return 0.0
        return BUSY_POLL_SECONDS if self._publisher.pending else FULL_WAIT_SECONDS

    def _take_in(self) -> None:
        """Poll and hand over to the model; only serve the group while there is enough in flight."""
        started = self._clock()
        flow = self._flow
        flow.look(started, model_is_full=self._model_threads.has_full_batch)
        if flow.should_pause:
            flow.pause()
            self._source.pause()
            self._observer.paused(True)
        if flow.room == 0 and not flow.paused:
            return  # a poll would bring more than there is room for, a pause would throw the prefetch away
        polled = self._source.poll(flow.room or 1, BUSY_POLL_SECONDS if flow.records else IDLE_POLL_SECONDS)
        read = self._clock()
        self._observer.phase("poll", read - started)
        if polled:
            self._observer.consumed(polled)
        elif not self._held:
            return
        held_before = bool(self._held)
        items = self._held.decode(polled)
        if bool(self._held) is not held_before:
            self._hold(not held_before)
        if not items:
            return
        flow.acquire(len(items), sum(len(item.record.value() or b"") for item in items))
        self._model_threads.submit(items)
        self._observer.phase("decode", self._clock() - read)

    def _hold(self, begins: bool) -> None:
        """Read no more while records wait for what their format needs, but go on serving the group."""
        if begins:
            self._source.pause()
        elif not self._flow.paused:
            self._source.resume()
        self._observer.paused(begins or self._flow.paused)

    def _send_out(self, timeout_seconds: float) -> None:
        """Publish what the model has finished, in order; wait up to the timeout for the first batch."""
        for batch in self._model_threads.finished(timeout_seconds):
            started = self._clock()
            self._breaker.admit(batch.outcomes)
            self._flag_rates.admit(batch.outcomes)
            self._publisher.publish(batch)
            self._observer.published(batch)
            self._observer.phase("publish", self._clock() - started)

    def _settle(self, timeout_seconds: float) -> None:
        """Serve delivery reports; what is acknowledged is committed by the publisher and leaves the flow."""
        started = self._clock()
        flow = self._flow
        for settled in self._publisher.settle(timeout_seconds):
            flow.release(settled.batch.records, settled.batch.value_bytes)
            self._observer.settled(settled)
        if flow.may_resume(model_is_full=self._model_threads.has_full_batch) and not self._held:
            flow.resume()
            self._source.resume()
            self._observer.paused(False)
        self._observer.turned(flow.records, flow.value_bytes)
        self._observer.phase("settle", self._clock() - started)

    def _drain(self, limit_seconds: float) -> bool:
        """Finish what is in flight without taking in more; False when the time ran out."""
        deadline = self._clock() + limit_seconds
        while self._flow.records:
            if self._clock() >= deadline:
                return False
            self._send_out(BUSY_POLL_SECONDS if self._model_threads.in_flight else 0.0)
            self._settle(BUSY_POLL_SECONDS if self._publisher.pending else 0.0)
        return self._source.flush_commits(max(0.0, deadline - self._clock()))

    def _what_was_dropped(self) -> str:
        return (
            f"shutdown took longer than delivery.drain_seconds = {self._settings.drain_seconds:g}: "
            f"{self._flow.records} records in flight were dropped. None was committed, so the next worker reads them "
            "again; a longer deadline (below the supervisor's grace period) avoids the repeated work"
        )

    def on_assigned(self, assignments: Sequence[Assignment]) -> None:
        """Report it: no state of an earlier ownership is left that would have to be reset here."""
        self._observer.rebalanced("assign", assignments, 0.0)

    def on_revoked(self, assignments: Sequence[Assignment]) -> None:
        """Finish everything in flight within one deadline, before the partitions go; after it their work is dropped."""
        started = self._clock()
        self._drain(self._settings.revoke_seconds)
        self._observer.rebalanced("revoke", assignments, self._clock() - started)

    def on_lost(self, assignments: Sequence[Assignment]) -> None:
        """Report it: the publisher drops the outcomes of lost partitions, the source commits nothing of them."""
        self._observer.rebalanced("lost", assignments, 0.0)
