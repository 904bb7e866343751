"""librdkafka properties that users may not set, because the worker's promises rest on them, and what to do instead.

Data and a rule without a client, so that the settings can be checked whole before anything is imported or opened.
"""

from collections.abc import Iterator, Mapping
from typing import Any

MAX_POLL_INTERVAL_MS = 300_000
"""Kafka's default of `max.poll.interval.ms`: a member that does not poll for so long is removed from its group."""

_REVOKES_IN_A_POLL_INTERVAL = 4
_PAUSES_IN_A_POLL_INTERVAL = 1.2

OWNED = {
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


def problems(properties: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a user's properties, a line each: names the worker owns, values librdkafka cannot take."""
    for name, value in properties.items():
        if name in OWNED:
            yield f"{name} can't be set: {OWNED[name]}"
        elif isinstance(value, Mapping):
            yield f'{name} holds a table: write a name with dots in quotes, "{name}.{next(iter(value), "...")}"'
        elif not isinstance(value, str | int | float):
            yield f"{name} must be a string, a number or a boolean, not {type(value).__name__}"


def short_poll_intervals(
    properties: Mapping[str, Any], revoke_seconds: float, pause_after_seconds: float
) -> Iterator[str]:
    """What is wrong with `max.poll.interval.ms`, a line each: waits of the worker that it must outlast.

    A worker doesn't poll while it serves a rebalance, nor while its model is behind and nothing is paused yet.
    """
    given = str(properties.get("max.poll.interval.ms", MAX_POLL_INTERVAL_MS))
    waits = [
        ("revoke_seconds", revoke_seconds, _REVOKES_IN_A_POLL_INTERVAL, "a rebalance"),
        ("pause_after_seconds", pause_after_seconds, _PAUSES_IN_A_POLL_INTERVAL, "a slow model"),
    ]
    for name, seconds, times, what in waits:
        needed = int(times * seconds * 1000)
        if given.isdigit() and int(given) < needed:
            yield (
                f"kafka.properties: max.poll.interval.ms = {given} is too short for delivery.{name} = {seconds:g}: "
                f"{what} could outlast it, and the worker would be removed from its group; give at least {needed}"
            )
