"""Whether any broker answers, and since when none has.

librdkafka never gives up on its own, which leaves a process that looks alive and does nothing (quix-streams#1082); the
worker ends with an exit code of its own instead, so that a supervisor sees it.
"""

import logging

from confluent_kafka import KafkaError

from worker.errors import NoBroker
from worker.kafka.client.error_codes import describe
from worker.protocols import Clock
from worker.settings import KafkaSettings

log = logging.getLogger(__name__)


class BrokerAvailability:
    """Keeps what is known of the brokers; time runs from `start` or from when the last one went.

    Attributes:
        last_contact: When a broker was last known to answer, on the clock; None before the first.
    """

    def __init__(self, settings: KafkaSettings, clock: Clock) -> None:
        self._servers = settings.bootstrap_servers
        self._limit_seconds = settings.no_broker_seconds
        self._clock = clock
        self._down_since: float | None = None
        self._last_error: KafkaError | None = None
        self.last_contact: float | None = None

    @property
    def is_down(self) -> bool:
        """No broker is known to answer."""
        return self._down_since is not None

    def start(self) -> None:
        """From now on a broker is expected to answer."""
        self._down_since = self._clock()

    def answered(self) -> None:
        """A broker answered."""
        self.last_contact = self._clock()
        if self._down_since is not None and self._last_error is not None:
            log.info("a broker answers again")
        self._down_since = None
        self._last_error = None

    def connection_failed(self, error: KafkaError) -> None:
        """A connection failed; others may stand."""
        if self._last_error is None:
            log.warning("connection to a broker failed: %s", describe(error))
        self._last_error = error
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.unavailable()

    def unavailable(self) -> None:
        """No connection is open."""
        if self._down_since is None:
            self._down_since = self._clock()

    def check(self) -> None:
        """Raise once no broker has answered for too long.

        Raises:
            NoBroker: It has been `kafka.no_broker_seconds`.
        """
        if self._down_since is None or self._clock() - self._down_since < self._limit_seconds:
            return
        cause = f" ({describe(self._last_error)})" if self._last_error is not None else ""
        message = (
            f"no broker of {self._servers} answered for kafka.no_broker_seconds = {self._limit_seconds:g}{cause}: "
            "check kafka.bootstrap_servers, the network, and the TLS and SASL properties"
        )
        raise NoBroker(message)
