"""The first word with a cluster: which topics it has, or why it does not answer.

A client of librdkafka tries a connection again for ever, whatever is wrong with it, and a call only says that nobody
answered. What no retry mends, a wrong password or a certificate that is not trusted, is heard beside the call.
"""

from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from worker.errors import Fatal, NoBroker
from worker.kafka.client.error_codes import REFUSED, describe, error_of, refused, refused_connection
from worker.settings import Settings

_FIRST_CALL_SECONDS = 1.0
_HEAR_SECONDS = 0.1


class ConnectionErrors:
    """Hears of a client's connections; its `serve` is given to the client as `error_cb`.

    Attributes:
        fault: The first that no retry mends; None while there is none.
    """

    def __init__(self) -> None:
        self.fault: Fatal | None = None

    def serve(self, error: KafkaError) -> None:
        """A connection failed."""
        self.fault = self.fault or refused_connection(error)


def list_topics(client: Consumer | Producer | AdminClient, settings: Settings, errors: ConnectionErrors) -> Any:
    """The cluster's id and all its topics (`confluent_kafka.admin.ClusterMetadata`).

    Args:
        client: Asks; made with `errors.serve` as its `error_cb`.
        settings: Where the brokers are, and how long to wait for one.
        errors: What the client hears.

    Raises:
        NoBroker: None answered for `kafka.no_broker_seconds`.
        Fatal: The broker refuses this client, or can't be trusted.
    """
    said = ""
    for timeout_seconds in _calls(settings.kafka.no_broker_seconds):
        try:
            # All topics: asking for one by name would create it on a broker that allows that.
            return client.list_topics(timeout=timeout_seconds)
        except KafkaException as fault:
            error = error_of(fault)
        client.poll(_HEAR_SECONDS)
        if errors.fault is not None:
            raise errors.fault
        if error.code() in REFUSED:
            raise refused(error, "to describe its topics")
        said = describe(error)
    kafka = settings.kafka
    message = f"no broker of {kafka.bootstrap_servers} answered within {kafka.no_broker_seconds:g} s ({said})"
    raise NoBroker(message)


def _calls(limit_seconds: float) -> Iterator[float]:
    """How long each call may take: longer and longer, the limit together."""
    timeout_seconds = _FIRST_CALL_SECONDS
    while limit_seconds > 0:
        yield min(timeout_seconds, limit_seconds)
        limit_seconds -= timeout_seconds
        timeout_seconds *= 2
