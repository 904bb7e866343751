"""Whether the worker is alive and whether it is ready, from facts that its threads report.

Alive means a restart would not help; ready means it does its work. Both are drawn from karafka's four facts (age of the
poll, age of the work, time in one unsteady group state, fatal flag) and one more: offsets that do not move although
there is work, which every stuck consumer shows and no heartbeat does (robinhood/faust#458).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from worker.facts import Standing
from worker.protocols import Clock
from worker.settings.owned_properties import MAX_POLL_INTERVAL_MS

# States of librdkafka's statistics (`cgrp.join_state`) in which the group is not in the middle of a change.
STEADY_JOIN_STATES = frozenset({"steady", "init", "wait-metadata"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer and its reasons; `ok` exactly when there is no reason against it."""

    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True if there is no reason against it."""
        return not self.reasons


_PROGRESS_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """How long each fact may stand before a restart is the better choice, in seconds.

    Attributes:
        tick_seconds: Age of the loop's last turn; above the longest call the loop waits for.
        inference_seconds: Age of the batch in the model; above the worst batch on the slowest machine.
        progress_seconds: Time with work at hand but no commit.
        rebalance_seconds: Time in one unsteady group state.
        standing_seconds: Time that a partition brings the same error instead of its next record.
    """

    tick_seconds: float = 60.0
    inference_seconds: float = 300.0
    progress_seconds: float = _PROGRESS_SECONDS
    rebalance_seconds: float = 600.0
    standing_seconds: float = 300.0

    @classmethod
    def of(cls, properties: Mapping[str, Any]) -> Self:
        """The limits for a consumer with these `kafka.properties`.

        After `max.poll.interval.ms` the group has removed every member that does not answer, so a rebalance may take
        that long, and so may a batch. Twice the interval is beyond what can be explained.
        """
        interval_ms = str(properties.get("max.poll.interval.ms", MAX_POLL_INTERVAL_MS))
        interval_seconds = int(interval_ms if interval_ms.isdigit() else MAX_POLL_INTERVAL_MS) / 1000
        return cls(
            progress_seconds=max(_PROGRESS_SECONDS, 2 * interval_seconds), rebalance_seconds=2 * interval_seconds
        )


class Health:
    """Facts about one worker and the two verdicts drawn from them.

    Threads report facts as they happen; any thread may ask. Each fact is one attribute, or one entry, that is written
    whole, so no lock is needed.

    Args:
        clock: Seconds that never go back.
        limits: When a fact becomes a fault.
    """

    def __init__(self, clock: Clock, limits: HealthLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or HealthLimits()
        self._ticked_at: float | None = None
        self._inference_since: dict[int, float] = {}
        self._unsteady: tuple[str, float] | None = None
        self._work_since: float | None = None
        self._growth_since: float | None = None
        self._lowest_lag: int | None = None
        self._model_loaded = False
        self._joined = False
        self._broker = "no broker has answered yet"
        self._draining = False
        self._missing_topic = ""
        self._standing: tuple[Standing, ...] = ()
        self._breaker = ""
        self._fatal = ""

    def tick(self) -> None:
        """The loop has begun another turn."""
        self._ticked_at = self._clock()

    def model_loaded(self) -> None:
        """The model is loaded and warm."""
        self._model_loaded = True

    def joined(self) -> None:
        """The group has taken the worker in. Being given no partition is ready, too: an idle spare."""
        self._joined = True

    def broker_seen(self) -> None:
        """A broker has answered."""
        self._broker = ""

    def broker_lost(self) -> None:
        """The client reports that all brokers are down."""
        self._broker = "no broker answers"

    def inference_started(self, batch: int) -> None:
        """The batch of this number has gone into the model."""
        self._inference_since[batch] = self._clock()

    def inference_finished(self, batch: int) -> None:
        """The batch has come out, scored or failed."""
        self._inference_since.pop(batch, None)

    def in_flight(self, records: int) -> None:
        """How many records are polled and not yet committed."""
        if records == 0:
            self._work_since = None
        elif self._work_since is None:
            self._work_since = self._clock()

    def lag(self, records: int) -> None:
        """Records between the end of the assigned partitions and this worker, in total.

        Only growth counts as work at hand: behind a transaction's end markers or an aborted transaction the lag of an
        idle topic stays above zero for ever (kedacore/keda#5675).
        """
        lowest = self._lowest_lag
        if lowest is None or records <= lowest:
            self._lowest_lag = records
            self._growth_since = None
        elif self._growth_since is None:
            self._growth_since = self._clock()

    def progressed(self) -> None:
        """Offsets were committed, or the assignment changed: what was awaited before no longer counts."""
        self._lowest_lag = None
        self._growth_since = None
        if self._work_since is not None:
            self._work_since = self._clock()

    def join_state(self, state: str) -> None:
        """State of the group membership, as librdkafka's statistics name it."""
        if state in STEADY_JOIN_STATES:
            self._unsteady = None
        elif self._unsteady is None or self._unsteady[0] != state:
            self._unsteady = (state, self._clock())

    def topic_missing(self, topic: str) -> None:
        """There is no input topic of this name; empty: there is one."""
        self._missing_topic = topic

    def standing(self, partitions: Sequence[Standing]) -> None:
        """The partitions that stand still now."""
        self._standing = tuple(partitions)

    def draining(self) -> None:
        """Shutdown has begun: no new work is taken."""
        self._draining = True

    def breaker_opened(self, reason: str) -> None:
        """Too many records were rejected."""
        self._breaker = reason

    def failed(self, reason: str) -> None:
        """The worker can't go on. The reason is served to probes, so it must not quote a comment."""
        self._fatal = reason

    def live(self) -> Verdict:
        """Whether the worker moves. Before the first turn it is loading the model, which readiness reports."""
        return Verdict(tuple(self._faults()))

    def ready(self) -> Verdict:
        """Whether comments are being labelled: alive, model warm, in the group, broker seen, breaker closed."""
        reasons = self._faults()
        if not self._model_loaded:
            reasons.append("the model is not loaded yet")
        if not self._joined:
            reasons.append("not a member of the consumer group yet")
        if self._broker:
            reasons.append(self._broker)
        if self._breaker:
            reasons.append(f"dead letter breaker open: {self._breaker}")
        if self._missing_topic:
            reasons.append(f"topic {self._missing_topic} does not exist")
        reasons += [_still(one) for one in self._standing if one.seconds <= self._limits.standing_seconds]
        if self._draining:
            reasons.append("draining for shutdown")
        return Verdict(tuple(reasons))

    def _faults(self) -> list[str]:
        now, limits = self._clock(), self._limits
        unsteady = self._unsteady
        watched = (
            ("the loop has not turned", self._ticked_at, limits.tick_seconds),
            (
                "one batch has been in the model",
                min(list(self._inference_since.values()), default=None),
                limits.inference_seconds,
            ),
            ("records are in flight but no offset was committed", self._work_since, limits.progress_seconds),
            ("the lag grows but no offset was committed", self._growth_since, limits.progress_seconds),
            (
                f"the group membership has been in {unsteady[0]}" if unsteady else "",
                unsteady[1] if unsteady else None,
                limits.rebalance_seconds,
            ),
        )
        faults = [f"fatal: {self._fatal}"] if self._fatal else []
        faults += [
            f"{what} for {now - since:.0f} s (limit {limit:.0f} s)"
            for what, since, limit in watched
            if since is not None and now - since > limit
        ]
        faults += [_still(one) for one in self._standing if one.seconds > limits.standing_seconds]
        return faults


def _still(standing: Standing) -> str:
    where = f"partition {standing.partition} of {standing.topic}"
    return f"{where} has stood still for {standing.seconds:.0f} s {standing.cause}"
