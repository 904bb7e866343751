"""librdkafka's configuration: what the worker sets and why, and what a user may add.

Any librdkafka property may be given in `kafka.properties` (TLS, SASL, fetch sizes, ...), except those that the worker's
guarantees depend on (`worker.settings.owned_properties`). librdkafka itself checks names and values when the client is
created.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from worker.errors import SettingsInvalid
from worker.kafka.client.msk_iam import msk_iam_properties
from worker.kafka.client.repeated_lines import RepeatedLines
from worker.settings import GroupProtocol, Settings
from worker.settings.owned_properties import MAX_POLL_INTERVAL_MS
from worker.settings.secrets import without_secrets

C = TypeVar("C", Consumer, Producer, AdminClient)

LIBRARY_LOG = logging.getLogger("worker.kafka.librdkafka")
"""Receives librdkafka's own messages while the client is polled."""

REPEATED_LINES = RepeatedLines()
"""Decides which of those messages are logged."""

_PREFETCHED_BATCHES = 8
_MIB = 1024 * 1024
_RECEIVE_LIMIT_BYTES = 100 * _MIB
_UNPACKED_LIMIT_BYTES = 512 * _MIB


def consumer_properties(settings: Settings) -> dict[str, Any]:
    """Properties of the consumer; the user's own take precedence where they are allowed."""
    kafka = settings.kafka
    properties: dict[str, Any] = {
        **_shared(settings),
        "group.id": kafka.group_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # `worker.kafka.consumer.start_rules` decides where a partition without a usable offset begins.
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "allow.auto.create.topics": False,
        # Added partitions are read this soon; with the default they were read after 297 s, measured.
        "topic.metadata.refresh.interval.ms": 5_000,
        "max.poll.interval.ms": MAX_POLL_INTERVAL_MS,
        # Prefetched records take memory, and a revoke or a pause discards them: a few batches are enough if the fetcher
        # checks again soon after the queue has run low (its default of 1 s would stall a fast worker).
        "queued.min.messages": _PREFETCHED_BATCHES * settings.batch.max_records,
        "queued.max.messages.kbytes": 16_384,
        "fetch.queue.backoff.ms": 10,
        "fetch.wait.max.ms": 100,
        "fetch.max.bytes": 8 * _MIB,
        # It also limits what one batch may unpack to: with the default of 100 MB, a zstd batch of 39 MiB, which is
        # tried in steps of three times its size, stopped its partition forever, measured.
        "receive.message.max.bytes": _UNPACKED_LIMIT_BYTES,
        # How often records, lag and group state are updated, and how soon a lost broker is noticed.
        "statistics.interval.ms": max(100, min(5_000, int(kafka.no_broker_seconds * 250))),
    }
    if kafka.group_protocol is GroupProtocol.CONSUMER:
        properties["group.protocol"] = "consumer"
    else:
        properties["partition.assignment.strategy"] = "cooperative-sticky"
        # After kill -9, a worker's partitions move when its session expires: measured 45.6 s with Kafka's default of
        # 45 s, 12.1 s with this. A process stopped for 11 s kept its partitions, one stopped for 14 s lost them.
        # Heartbeats come from librdkafka's own thread, which neither a long batch nor a garbage collection delays.
        # With KIP-848 the broker decides (docs/how-to/scaling.md).
        properties["session.timeout.ms"] = 12_000
        # A member hears of a rebalance in the response to its heartbeat. What moves to a newcomer waits until that one
        # has heard that its former owner has let go. With librdkafka's default of 3 s such comments waited for up to
        # 3.8 s, with this for 1.5 s; 0.7 s is usual there (benchmarks/README.md, "scaling").
        properties["heartbeat.interval.ms"] = 500
    return properties | kafka.properties


def producer_properties(settings: Settings, transactional_id: str | None = None) -> dict[str, Any]:
    """Properties of the producer: always idempotent, and transactional if an id is given."""
    delivery = settings.delivery
    timeout_ms = int(delivery.timeout_seconds * 1000)
    properties: dict[str, Any] = {
        **_shared(settings),
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        # The topic's own limit decides what is too large, and the broker reports it: the default of 1 MB would stop a
        # dead letter that its topic accepts.
        "message.max.bytes": _RECEIVE_LIMIT_BYTES,
    }
    if transactional_id is not None:
        transaction_ms = int(delivery.transaction_timeout_seconds * 1000)
        properties["transactional.id"] = transactional_id
        properties["transaction.timeout.ms"] = transaction_ms
        # A transaction's first request often meets the end markers of the one before it and has to be retried; a short
        # wait before the retry cut the median of the call from 164 ms to 110 ms on one busy broker.
        properties["retry.backoff.ms"] = 10
        timeout_ms = min(timeout_ms, transaction_ms)  # librdkafka allows no delivery to outlive its transaction
    properties["delivery.timeout.ms"] = timeout_ms
    return properties | settings.kafka.properties


def client_properties(settings: Settings) -> dict[str, Any]:
    """Properties of a client that only reaches the cluster, for administration."""
    return {
        **_shared(settings),
        # With a connection to each broker from the beginning. Otherwise a request for a controller that is down makes
        # librdkafka's threads wake each other without a pause until it times out (2.16.0: .8 of a core; so .001).
        "enable.sparse.connections": False,
        **settings.kafka.properties,
    }


def make_client(kind: Callable[..., C], properties: Mapping[str, Any], **callbacks: Any) -> C:
    """Create a `Consumer`, `Producer` or `AdminClient` whose librdkafka messages go to `LIBRARY_LOG`.

    Raises:
        SettingsInvalid: librdkafka rejects a property's name or value.
    """
    try:
        return kind({**properties, **callbacks}, logger=LIBRARY_LOG)
    except (KafkaException, TypeError, ValueError) as error:
        message = f"kafka.properties: {without_secrets(_text(error), properties)}"
        if "GSSAPI" in message and "sasl.mechanism" not in properties:
            message = (
                "kafka.properties: set sasl.mechanism, for example SCRAM-SHA-512, PLAIN or OAUTHBEARER: without it "
                "librdkafka takes GSSAPI (Kerberos), which this build has not"
            )
        raise SettingsInvalid(message) from None


def _shared(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka.bootstrap_servers,
        "client.id": settings.kafka.client_id,
        "socket.keepalive.enable": True,
        **msk_iam_properties(settings.kafka),
    }


def _text(error: Exception) -> str:
    cause = error.args[0] if error.args else error
    return str(cause.str() if hasattr(cause, "str") else cause)


class _OtherClientsProperty(logging.Filter):
    """Drops librdkafka's warning that a producer property has no effect on a consumer, and the reverse.

    Both get the user's properties, so the warning does not point to a mistake.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not ("CONFWARN" in message and "and will be ignored by" in message)


LIBRARY_LOG.addFilter(_OtherClientsProperty())
LIBRARY_LOG.addFilter(REPEATED_LINES)
