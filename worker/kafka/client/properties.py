"""librdkafka's configuration: what the worker sets and why, and what a user may add.

Any librdkafka property may be given in `kafka.properties` (TLS, SASL, fetch sizes, ...), except those on which the
worker's promises rest: setting them is refused with the name of the setting to use instead. Names and values are
checked by librdkafka itself when the client is made.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from worker.errors import SettingsInvalid
from worker.settings import DeliverySettings, GroupProtocol, Settings, Start

C = TypeVar("C", Consumer, Producer, AdminClient)

LIBRARY_LOG = logging.getLogger("worker.kafka.librdkafka")
"""Where librdkafka's own messages go, while the client is polled."""

_PREFETCHED_BATCHES = 8
_MIB = 1024 * 1024
_RECEIVE_LIMIT_BYTES = 100 * _MIB
_REVOKES_IN_A_POLL_INTERVAL = 4
_PAUSES_IN_A_POLL_INTERVAL = 1.2

_OWNED = {
    "bootstrap.servers": "set kafka.bootstrap_servers",
    "metadata.broker.list": "set kafka.bootstrap_servers",
    "group.id": "set kafka.group_id",
    "client.id": "set kafka.client_id",
    "group.protocol": "set kafka.group_protocol",
    "group.remote.assignor": "leave it to the broker",
    "partition.assignment.strategy": "it is cooperative-sticky; members of a group must never mix strategies",
    "auto.offset.reset": "set input.start",
    "enable.auto.commit": "offsets are committed after their outcomes are acknowledged, never on a timer",
    "auto.commit.interval.ms": "offsets are committed after their outcomes are acknowledged, never on a timer",
    "enable.auto.offset.store": "offsets are committed after their outcomes are acknowledged, never at delivery",
    "enable.partition.eof": "the worker reads a topic without end",
    "isolation.level": "only committed records are read (read_committed)",
    "statistics.interval.ms": "lag and health are read from the statistics",
    "enable.idempotence": "the producer is always idempotent",
    "enable.gapless.guarantee": "a record that cannot be delivered stops the worker anyway",
    "acks": "every in-sync replica must acknowledge (all)",
    "request.required.acks": "every in-sync replica must acknowledge (all)",
    "max.in.flight": "the idempotent producer sets it",
    "max.in.flight.requests.per.connection": "the idempotent producer sets it",
    "retries": "a delivery is retried until delivery.timeout_seconds",
    "message.send.max.retries": "a delivery is retried until delivery.timeout_seconds",
    "delivery.timeout.ms": "set delivery.timeout_seconds",
    "message.timeout.ms": "set delivery.timeout_seconds",
    "delivery.report.only.error": "every delivery report is counted",
    "partitioner": "keys go where a Java producer would send them (murmur2_random)",
    "transactional.id": "it is made for each process; set delivery.guarantee",
    "transaction.timeout.ms": "set delivery.transaction_timeout_seconds",
    "test.mock.num.brokers": "`sluice demo` brings its own broker",
}

_SECRET = ("password", "secret", "key.pem", "sasl.oauthbearer.config", "jaas")


def consumer_properties(settings: Settings) -> dict[str, Any]:
    """Properties of the consumer; the user's own win where they may.

    Raises:
        SettingsInvalid: `kafka.properties` names what the worker must own; every such name is listed.
    """
    kafka = settings.kafka
    properties: dict[str, Any] = {
        **_shared(settings),
        "group.id": kafka.group_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": settings.input.start.value if settings.input.start is not Start.ERROR else "error",
        "isolation.level": "read_committed",
        "allow.auto.create.topics": False,
        "max.poll.interval.ms": 300_000,
        # What is prefetched is thrown away by a revoke or a pause, and held in memory: a few batches are enough, if the
        # fetcher looks again soon after the queue ran low (its default of 1 s would stall a fast worker).
        "queued.min.messages": _PREFETCHED_BATCHES * settings.batch.max_records,
        "queued.max.messages.kbytes": 16_384,
        "fetch.queue.backoff.ms": 10,
        "fetch.wait.max.ms": 100,
        "fetch.max.bytes": 8 * _MIB,
        # Records, lag and the state of the group are known this often; also how soon a lost broker is noticed.
        "statistics.interval.ms": max(100, min(5_000, int(kafka.no_broker_seconds * 250))),
    }
    if kafka.group_protocol is GroupProtocol.CONSUMER:
        properties["group.protocol"] = "consumer"
    else:
        properties["partition.assignment.strategy"] = "cooperative-sticky"
        properties["session.timeout.ms"] = 45_000
    properties |= _checked(kafka.properties)
    _check_poll_interval(properties["max.poll.interval.ms"], settings.delivery)
    return properties


def producer_properties(settings: Settings, transactional_id: str | None = None) -> dict[str, Any]:
    """Properties of the producer, idempotent always and transactional with an id.

    Raises:
        SettingsInvalid: As for `consumer_properties`.
    """
    delivery = settings.delivery
    timeout_ms = int(delivery.timeout_seconds * 1000)
    properties: dict[str, Any] = {
        **_shared(settings),
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        # The topic's own limit decides what is too large, and the broker says so: 1 MB by default would stop a dead
        # letter that its topic takes.
        "message.max.bytes": _RECEIVE_LIMIT_BYTES,
    }
    if transactional_id is not None:
        transaction_ms = int(delivery.transaction_timeout_seconds * 1000)
        properties["transactional.id"] = transactional_id
        properties["transaction.timeout.ms"] = transaction_ms
        # A transaction's first request often meets the end markers of the one before it and is to be sent again; a
        # short wait before that took the median of the call from 164 ms to 110 ms on one busy broker.
        properties["retry.backoff.ms"] = 10
        timeout_ms = min(timeout_ms, transaction_ms)  # librdkafka allows no delivery to outlive its transaction
    properties["delivery.timeout.ms"] = timeout_ms
    return properties | _checked(settings.kafka.properties)


def client_properties(settings: Settings) -> dict[str, Any]:
    """Properties of a client that only reaches the cluster, for administration.

    Raises:
        SettingsInvalid: As for `consumer_properties`.
    """
    return _shared(settings) | _checked(settings.kafka.properties)


def make_client(kind: Callable[..., C], properties: Mapping[str, Any], **callbacks: Any) -> C:
    """A `Consumer`, `Producer` or `AdminClient` with librdkafka's messages going to `LIBRARY_LOG`.

    Raises:
        SettingsInvalid: librdkafka refuses a property's name or value.
    """
    try:
        return kind({**properties, **callbacks}, logger=LIBRARY_LOG)
    except (KafkaException, TypeError, ValueError) as fault:
        message = f"kafka.properties: {_without_secrets(_text(fault), properties)}"
        raise SettingsInvalid(message) from None


def _shared(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka.bootstrap_servers,
        "client.id": settings.kafka.client_id,
        "socket.keepalive.enable": True,
    }


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    problems = [f"kafka.properties: {name} can't be set: {_OWNED[name]}" for name in given if name in _OWNED]
    problems += [
        f"kafka.properties: {name} must be a string, a number or a boolean, not {type(value).__name__}"
        for name, value in given.items()
        if not isinstance(value, str | int | float)
    ]
    if problems:
        raise SettingsInvalid("\n".join(problems))
    return dict(given)


def _check_poll_interval(value: Any, delivery: DeliverySettings) -> None:
    # A worker doesn't poll while it serves a rebalance, nor while its model is behind and nothing is paused yet.
    limits = {
        "revoke_seconds": (delivery.revoke_seconds, _REVOKES_IN_A_POLL_INTERVAL, "a rebalance"),
        "pause_after_seconds": (delivery.pause_after_seconds, _PAUSES_IN_A_POLL_INTERVAL, "a slow model"),
    }
    for name, (seconds, times, what) in limits.items():
        needed = int(times * seconds * 1000)
        if str(value).isdigit() and int(value) < needed:
            message = (
                f"kafka.properties: max.poll.interval.ms = {value} is too short beside delivery.{name} = {seconds:g}: "
                f"{what} could outlast it and the worker would be put out of its group; give at least {needed}"
            )
            raise SettingsInvalid(message)


def _text(fault: Exception) -> str:
    error = fault.args[0] if fault.args else fault
    return str(error.str() if hasattr(error, "str") else error)


def _without_secrets(text: str, properties: Mapping[str, Any]) -> str:
    for name, value in properties.items():
        if value and any(part in name for part in _SECRET):
            text = text.replace(str(value), "***")
    return text


class _OtherClientsProperty(logging.Filter):
    """Drops librdkafka's warning that a producer property is of no use to a consumer, and the reverse.

    Both get the user's properties, so it says nothing about a mistake.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return not ("CONFWARN" in message and "and will be ignored by" in message)


LIBRARY_LOG.addFilter(_OtherClientsProperty())
