"""Copies the facts that the source and the model keep for themselves into metrics and health, once a second."""

from collections.abc import Mapping
from typing import Protocol

from worker.observability.health import Health
from worker.observability.metrics import Metrics
from worker.protocols import Clock, WallClock
from worker.types import Stage

INTERVAL_SECONDS = 1.0


class GroupFacts(Protocol):
    """What a source knows of its group; `worker.kafka.consumer.source.KafkaSource` has it."""

    join_state: str

    @property
    def lag_records(self) -> Mapping[int, int]:
        """Records behind the end, by partition held."""

    @property
    def commits_succeeded(self) -> int:
        """Commits that the broker took."""

    @property
    def commits_failed(self) -> int:
        """Commits that it answered with an error."""

    @property
    def is_member(self) -> bool:
        """True once the group has taken the worker in."""

    @property
    def broker_answers(self) -> bool:
        """True while a broker is known to answer."""


class ModelFacts(Protocol):
    """What a classifier has counted; each only grows."""

    computed_tokens: int
    padded_tokens: int
    duplicate_texts: int
    cache_hits: int
    float32_retries: int


class Watcher:
    """Looks at a source and, where it keeps counts, at a model.

    Args:
        metrics: Copied into.
        health: Copied into.
        topic: Input topic.
        group: The source.
        model: The classifier's counts; None when it keeps none.
        transactions: How many ended how, as an exactly-once publisher counts them; empty for another.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        topic: str,
        group: GroupFacts,
        model: ModelFacts | None,
        transactions: Mapping[str, int],
        clock: Clock,
        wall_clock: WallClock,
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._topic = topic
        self._group = group
        self._model = model
        self._transactions = transactions
        self._ended: dict[str, int] = {}
        self._clock = clock
        self._wall_clock = wall_clock
        self._looked_at = float("-inf")
        self._commits = {"ok": 0, "failed": 0}
        self._counted: dict[str, int] = {}

    def look(self) -> None:
        """Copy, unless the last look was less than a second ago."""
        now = self._clock()
        if now - self._looked_at < INTERVAL_SECONDS:
            return
        self._looked_at = now
        self._look_at_group()
        self._look_at_transactions()
        if self._model is not None:
            self._look_at_model(self._model)

    def _look_at_group(self) -> None:
        group, health, metrics = self._group, self._health, self._metrics
        health.join_state(group.join_state)
        if group.is_member:
            health.joined()
        if group.broker_answers:
            health.broker_seen()
        else:
            health.broker_lost()
        lag = group.lag_records
        for partition, records in lag.items():
            metrics.set_lag(self._topic, partition, records)
        if lag:
            health.lag(sum(lag.values()))
        for result, total in (("ok", group.commits_succeeded), ("failed", group.commits_failed)):
            news = total - self._commits[result]
            self._commits[result] = total
            if news:
                metrics.commits.labels(result).inc(news)
                if result == "ok":
                    self._committed()

    def _look_at_transactions(self) -> None:
        for result, total in self._transactions.items():
            news = total - self._ended.get(result, 0)
            self._ended[result] = total
            if news:
                self._metrics.transactions.labels(result).inc(news)
                if result == "committed":
                    self._committed()

    def _committed(self) -> None:
        self._metrics.last_commit_timestamp_seconds.set(self._wall_clock())
        self._health.progressed()

    def _look_at_model(self, model: ModelFacts) -> None:
        for metric, total in (
            (self._metrics.tokens_computed, model.computed_tokens),
            (self._metrics.tokens_padded, model.padded_tokens),
            (self._metrics.texts_deduplicated, model.duplicate_texts),
            (self._metrics.cache_hits, model.cache_hits),
            (self._metrics.retries.labels(Stage.INFERENCE.value), model.float32_retries),
        ):
            news = total - self._counted.get(metric._name, 0)  # noqa: SLF001 - the only name a metric has
            self._counted[metric._name] = total  # noqa: SLF001
            if news:
                metric.inc(news)
