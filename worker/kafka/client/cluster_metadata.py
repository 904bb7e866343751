"""The first call to a cluster: which topics it has, or why it does not answer.

A librdkafka client retries a connection forever, whatever is wrong with it, and a failed call only says that nobody
answered. Errors that no retry fixes, such as a wrong password or an untrusted certificate, reach only its `error_cb`.
"""

import logging
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from worker.errors import Fatal, NoBroker
from worker.kafka.client.error_codes import REFUSED, describe, error_of, refused, refused_connection
from worker.kafka.client.properties import REPEATED_LINES
from worker.settings import Settings

log = logging.getLogger(__name__)

_FIRST_CALL_SECONDS = 1.0
_HEAR_SECONDS = 0.1


class ConnectionErrors:
    """Watches a client's connections; pass its `serve` to the client as `error_cb`.

    Attributes:
        fault: The first error that no retry fixes; None while there is none.
    """

    def __init__(self) -> None:
        self.fault: Fatal | None = None

    def serve(self, error: KafkaError) -> None:
        """Record a failed connection."""
        self.fault = self.fault or refused_connection(error)


def list_topics(
    client: Consumer | Producer | AdminClient, settings: Settings, errors: ConnectionErrors, *, announced: bool = False
) -> Any:
    """The cluster's id and all its topics (`confluent_kafka.admin.ClusterMetadata`).

    Args:
        client: The client to ask, created with `errors.serve` as its `error_cb`.
        settings: Where the brokers are, and how long to wait for one.
        errors: Errors on the client's connections.
        announced: Whether somebody else has said that a broker is waited for.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The broker refuses this client, or can't be trusted.
    """
    kafka = settings.kafka
    reason = ""
    with REPEATED_LINES.folded() as failed:
        for timeout_seconds in _calls(kafka.no_broker_seconds):
            try:
                # All topics: asking for one by name would create it on a broker that allows that.
                return client.list_topics(timeout=timeout_seconds)
            except KafkaException as exception:
                error = error_of(exception)
            client.poll(_HEAR_SECONDS)
            if errors.fault is not None:
                raise errors.fault
            if error.code() in REFUSED:
                raise refused(error, "to describe its topics")
            if not reason and not announced:
                log.warning(
                    "waiting for a broker at %s, %g s at most", kafka.bootstrap_servers, kafka.no_broker_seconds
                )
            reason = describe(error)
    why = f"{failed.last}; {failed.count} connections failed" if failed.count else reason
    message = f"no broker of {kafka.bootstrap_servers} answered within {kafka.no_broker_seconds:g} s ({why})"
    raise NoBroker(message)


def _calls(limit_seconds: float) -> Iterator[float]:
    """Timeouts of successive calls: each twice the last, adding up to the limit."""
    timeout_seconds = _FIRST_CALL_SECONDS
    while limit_seconds > 0:
        yield min(timeout_seconds, limit_seconds)
        limit_seconds -= timeout_seconds
        timeout_seconds *= 2
