"""Copies what source, publisher and model count for themselves into metrics and health, once a second."""

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import Counter

from worker.facts import FlagRate
from worker.observability.health import Health
from worker.observability.metrics import FLAG_RATE_ALARMS, Metrics
from worker.protocols import Classifier, Clock, Publisher, Source, WallClock
from worker.types import Stage

INTERVAL_SECONDS = 1.0


class Watcher:
    """Asks each of them for its facts.

    Args:
        metrics: Where the counts go.
        health: Gets the facts of the group.
        source: The member of the group.
        publisher: Counts transactions, with exactly-once.
        classifier: The model.
        flag_rates: Gives how often each label comes.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
        report: Told the lag at each look; None while it is unknown.
    """

    def __init__(
        self,
        *,
        metrics: Metrics,
        health: Health,
        source: Source,
        publisher: Publisher,
        classifier: Classifier[Any],
        flag_rates: Callable[[], Mapping[str, FlagRate]],
        clock: Clock,
        wall_clock: WallClock,
        report: Callable[[int | None], None] = lambda _: None,
    ) -> None:
        self._metrics = metrics
        self._health = health
        self._source = source
        self._publisher = publisher
        self._classifier = classifier
        self._flag_rates = flag_rates
        self._clock = clock
        self._wall_clock = wall_clock
        self._report = report
        self._looked_at = float("-inf")
        self._counted: dict[str, int] = {}

    def look(self) -> None:
        """Copy, unless the last look was less than a second ago."""
        now = self._clock()
        if now - self._looked_at < INTERVAL_SECONDS:
            return
        self._looked_at = now
        self._look_at_group()
        self._look_at_transactions()
        self._look_at_model()
        self._look_at_flag_rates()

    def _look_at_group(self) -> None:
        facts, health, metrics = self._source.facts(), self._health, self._metrics
        health.join_state(facts.join_state)
        if facts.is_member:
            health.joined()
        if facts.broker_answers:
            health.broker_seen()
        else:
            health.broker_lost()
        for (topic, partition), records in facts.lag_records.items():
            metrics.set_lag(topic, partition, records)
        for (topic, partition), records in facts.unstable_records.items():
            metrics.unstable_records.labels(topic, str(partition)).set(records)
        metrics.standing_partitions.set(len(facts.standing))
        metrics.topic_missing.set(bool(facts.topics_missing))
        health.topic_missing(", ".join(facts.topics_missing))
        health.standing(facts.standing)
        for reason, total in facts.positions_moved.items():
            self._count(metrics.positions_moved, reason, total)
        for reason, total in facts.records_skipped.items():
            self._count(metrics.records_skipped, reason, total)
        lag = sum(facts.lag_records.values()) if facts.lag_records else None
        if lag is not None:
            health.lag(lag)
        self._report(lag)
        self._count(metrics.commits, "failed", facts.commits_failed)
        if self._count(metrics.commits, "ok", facts.commits_succeeded):
            self._committed()

    def _look_at_transactions(self) -> None:
        facts, transactions = self._publisher.facts(), self._metrics.transactions
        self._count(transactions, "aborted", facts.transactions_aborted)
        if self._count(transactions, "committed", facts.transactions_committed):
            self._committed()

    def _committed(self) -> None:
        self._metrics.last_commit_timestamp_seconds.set(self._wall_clock())
        self._health.progressed()

    def _look_at_model(self) -> None:
        facts, metrics = self._classifier.facts(), self._metrics
        for metric, total in (
            (metrics.tokens_computed, facts.computed_tokens),
            (metrics.tokens_padded, facts.padded_tokens),
            (metrics.windows_computed, facts.windows),
            (metrics.texts_deduplicated, facts.duplicate_texts),
            (metrics.texts_viewed, facts.viewed_texts),
            (metrics.texts_truncated, facts.truncated_texts),
            (metrics.texts_unscorable, facts.unscorable_texts),
            (metrics.texts_alone, facts.texts_alone),
            (metrics.cache_hits, facts.cache_hits),
            (metrics.memory_halvings, facts.memory_halvings),
        ):
            self._count(metric, "", total)
        self._count(metrics.retries, Stage.INFERENCE.value, facts.float32_retries)

    def _look_at_flag_rates(self) -> None:
        metrics = self._metrics
        for label, rate in self._flag_rates().items():
            metrics.flagged_ratio.labels(label).set(rate.share)
            if rate.past is not None:
                metrics.past_flagged_ratio.labels(label).set(rate.past)
            for against in FLAG_RATE_ALARMS:
                metrics.flag_rate_alarm.labels(label, against).set(rate.ordinary is against)

    def _count(self, metric: Counter, label: str, total: int) -> int:
        """Add what was counted since the last look to a counter; return how much that was."""
        name = f"{metric._name} {label}"  # noqa: SLF001 - the only name a metric has
        news = total - self._counted.get(name, 0)
        self._counted[name] = total
        if news:
            (metric.labels(label) if label else metric).inc(news)
        return news
