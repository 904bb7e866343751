"""Catalogue of the metrics: each is declared once, with its unit and what it means.

Names follow the Prometheus conventions (base units, `_total`, an `_info` gauge that is 1). No label holds a key, an
offset or a text. `partition` is a label of gauges only, and its series goes when the partition is revoked.
An attribute is named as its metric, without the namespace `sluice_` and the suffix `_total`.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from worker.facts import Ordinary
from worker.observability.histogram import Distribution
from worker.observability.shadow_metrics import ShadowMetrics
from worker.types import ModelIdentity

NAMESPACE = "sluice"

# One forward pass takes milliseconds on an accelerator and seconds on one slow core.
STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# From a quiet topic (one forward pass) to a backlog of a day.
LATENCY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
RECORDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
TOKENS = (16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
SCORES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)

OUTCOMES = ("labelled", "rejected", "skipped", "forwarded", "filtered")
COMMIT_RESULTS = ("ok", "failed")
TRANSACTION_RESULTS = ("committed", "aborted")
MOVE_REASONS = ("below_start", "above_end", "truncated", "recreated")
SKIP_REASONS = ("retention",)
REBALANCE_EVENTS = ("assign", "revoke", "lost")
FLAG_RATE_ALARMS = (Ordinary.NOT_FOR_ITS_PAST, Ordinary.NOT_FOR_ITS_BAND)
MODEL_CHANGES = ("changed", "failed")
LOOP_PHASES = ("poll", "decode", "publish", "settle", "idle")


class Metrics:
    """Every metric of one worker, registered with `registry`.

    Series whose labels are known beforehand exist from the start, at zero, so that the first event is a step a
    `rate()` can see. Updates are thread-safe. All of them are meant to be called per batch, not per record.

    Raises:
        ValueError: `registry` already holds a catalogue.
    """

    def __init__(self, registry: CollectorRegistry) -> None:  # noqa: PLR0915 - a catalogue: a statement for each metric
        self.registry = registry

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(name, documentation, labels, namespace=NAMESPACE, registry=registry)

        def gauge(name: str, documentation: str, *labels: str) -> Gauge:
            return Gauge(name, documentation, labels, namespace=NAMESPACE, registry=registry)

        def histogram(
            name: str, documentation: str, buckets: Sequence[float], label: str | None = None
        ) -> Distribution:
            full_name = f"{NAMESPACE}_{name}"
            return Distribution(full_name, documentation, bounds=buckets, label=label, registry=registry)

        # Records
        self.records_consumed = counter("records_consumed", "Records polled from the input topic", "topic")
        self.records_processed = counter(
            "records_processed",
            "Records whose outcome is acknowledged: labelled, rejected, skipped (tombstones passed over), forwarded "
            "(tombstones sent on), filtered (input.where)",
            "outcome",
        )
        self.dead_letters = counter(
            "dead_letters",
            "Acknowledged dead letters, by the stage that failed and the class of the fault",
            "stage",
            "error",
        )
        self.record_latency_seconds = histogram(
            "record_latency_seconds",
            "Seconds from a record's timestamp to the acknowledgement of its outcome",
            LATENCY_SECONDS,
        )
        self.in_flight_records = gauge("in_flight_records", "Records polled and not yet settled")
        self.in_flight_bytes = gauge("in_flight_bytes", "Bytes of values polled and not yet settled")

        # Batches and the model
        self.batches = counter("batches", "Batches scored")
        self.batch_size_records = histogram("batch_size_records", "Comments in one scored batch", RECORDS)
        self.batch_tokens = histogram("batch_tokens", "Tokens of one batch, special tokens included", TOKENS)
        self.inference_duration_seconds = histogram(
            "inference_duration_seconds", "Seconds to score one batch, from token ids to labels", STEP_SECONDS
        )
        self.inference_lanes = gauge("inference_lanes", "Batches that the model scores side by side, at most")
        self.tokens_computed = counter("tokens_computed", "Tokens the model computed, padding left out")
        self.tokens_padded = counter("tokens_padded", "Padding tokens the model computed for nothing")
        self.texts_deduplicated = counter("texts_deduplicated", "Texts scored once for several records of a batch")
        self.texts_viewed = counter(
            "texts_viewed", "Texts scored in two readings, as written and as read: their spelling hides words"
        )
        self.texts_truncated = counter("texts_truncated", "Texts longer than their windows, whose end was not scored")
        self.texts_unscorable = counter("texts_unscorable", "Texts the model gave no finite score, or none at all")
        self.texts_alone = counter(
            "texts_alone", "Texts near a threshold, computed again by themselves so that no batch turns their verdict"
        )
        self.windows_computed = counter("windows_computed", "Windows the model computed")
        self.memory_halvings = counter(
            "memory_halvings", "Times memory ran out in a forward pass and its tokens were halved, until a restart"
        )
        self.cache_hits = counter("cache_hits", "Texts whose scores came from the cache")
        self.model_info = gauge(
            "model_info", "1, and what computes the scores", "model_id", "revision", "digest", "precision"
        )
        self.model_load_seconds = gauge("model_load_seconds", "Seconds it took to load and warm the model")
        self.model_changes = counter(
            "model_changes", "Changes of the model or its settings while running, asked for by SIGHUP", "outcome"
        )
        for outcome in MODEL_CHANGES:
            self.model_changes.labels(outcome)
        self.labels_assigned = counter("labels_assigned", "Records a label was assigned to", "label")
        self.flagged_ratio = gauge(
            "flagged_ratio", "Share of the newest comments (flag_rate.window_records) that have a label", "label"
        )
        self.past_flagged_ratio = gauge(
            "past_flagged_ratio", "Share of the comments before those (flag_rate.past_records) that have it", "label"
        )
        self.flag_rate_alarm = gauge(
            "flag_rate_alarm", "1 while the share of a label is out of the ordinary: past, band", "label", "against"
        )
        self.scores = histogram(
            "scores",
            "Scores from 0 to 1 by label; a change of shape is drift of the input or of the model",
            SCORES,
            label="label",
        )

        # Publishing and committing
        self.produce_duration_seconds = histogram(
            "produce_duration_seconds", "Seconds from publishing a batch to its last acknowledgement", STEP_SECONDS
        )
        self.commits = counter("commits", "Offset commits answered by the broker: ok, failed", "result")
        self.transactions = counter("transactions", "Transactions ended: committed, aborted", "result")
        self.last_commit_timestamp_seconds = gauge(
            "last_commit_timestamp_seconds", "Time of the last commit that succeeded, seconds since the epoch; 0: none"
        )
        self.retries = counter("retries", "Attempts after the first, by the stage repeated", "stage")
        self.breaker_open = gauge("breaker_open", "1 when too many records were rejected and the worker stops")

        # The group and the loop
        self.consumer_lag_records = gauge(
            "consumer_lag_records", "Records between the end of a partition and this worker", "topic", "partition"
        )
        self.unstable_records = gauge(
            "unstable_records",
            "Records behind a producer's open transaction, which nobody may read before it ends",
            "topic",
            "partition",
        )
        self.standing_partitions = gauge(
            "standing_partitions", "Partitions that bring the same error again and again instead of their next record"
        )
        self.topic_missing = gauge("topic_missing", "1 while there is no input topic")
        self.positions_moved = counter(
            "positions_moved", "Positions of the group given up: below_start, above_end, truncated, recreated", "reason"
        )
        self.records_skipped = counter(
            "records_skipped", "Offsets that were gone before they were read: retention", "reason"
        )
        self.assigned_partitions = gauge("assigned_partitions", "Partitions assigned to this worker")
        self.rebalances = counter("rebalances", "Changes of assignment: assign, revoke, lost", "event")
        self.rebalance_drain_seconds = histogram(
            "rebalance_drain_seconds", "Seconds to drain work in flight before partitions were given away", STEP_SECONDS
        )
        self.consumer_paused = gauge("consumer_paused", "1 while partitions are paused because the model is behind")
        self.last_poll_timestamp_seconds = gauge(
            "last_poll_timestamp_seconds", "Time of the last poll, seconds since the epoch; 0: none"
        )
        self.loop_seconds = counter(
            "loop_seconds", "Seconds the loop spent in each phase: poll, decode, publish, settle, idle", "phase"
        )

        self.shadow = ShadowMetrics(registry)

        for family, values in (
            (self.records_processed, OUTCOMES),
            (self.commits, COMMIT_RESULTS),
            (self.transactions, TRANSACTION_RESULTS),
            (self.rebalances, REBALANCE_EVENTS),
            (self.positions_moved, MOVE_REASONS),
            (self.records_skipped, SKIP_REASONS),
            (self.loop_seconds, LOOP_PHASES),
        ):
            for value in values:
                family.labels(value)

        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def describe_model(self, identity: ModelIdentity, labels: Sequence[str], lanes: int = 1) -> None:
        """Set what scores from now on; the counters of its labels begin at zero."""
        self.model_info.clear()
        self.model_info.labels(identity.id, identity.revision or "", identity.digest, identity.precision).set(1)
        self.inference_lanes.set(lanes)
        for label in labels:
            self.labels_assigned.labels(label)
            self.scores.labels(label)
            for against in FLAG_RATE_ALARMS:
                self.flag_rate_alarm.labels(label, against)

    def set_lag(self, topic: str, partition: int, records: int) -> None:
        """Set the lag of a partition; a negative one means unknown (no offset yet) and is not exported."""
        if records < 0:
            self.forget_lag(topic, partition)
        else:
            self.consumer_lag_records.labels(topic, str(partition)).set(records)

    def forget_lag(self, topic: str, partition: int) -> None:
        """Drop the series of a partition this worker no longer owns."""
        for gauge in (self.consumer_lag_records, self.unstable_records):
            gauge.remove_by_labels({"topic": topic, "partition": str(partition)})
