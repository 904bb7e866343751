"""Whether any broker is responding and, if not, since when.

librdkafka never gives up on its own, which leaves a process that looks alive and does nothing (quix-streams#1082).
Instead, the worker exits with a dedicated exit code, so that a supervisor notices.
"""

import logging
from contextlib import ExitStack

from confluent_kafka import KafkaError

from worker.errors import NoBroker
from worker.kafka.client.error_codes import describe
from worker.kafka.client.properties import REPEATED_LINES
from worker.protocols import Clock
from worker.settings import KafkaSettings

log = logging.getLogger(__name__)


class BrokerAvailability:
    """Tracks whether brokers respond; the time limit runs from `start` or from when the last broker went down.

    Attributes:
        last_contact: When a broker last responded, on the clock; None before the first response.
    """

    def __init__(self, settings: KafkaSettings, clock: Clock) -> None:
        self._servers = settings.bootstrap_servers
        self._limit_seconds = settings.no_broker_seconds
        self._clock = clock
        self._down_since: float | None = None
        self._last_error: KafkaError | None = None
        self._waiting_reported = False
        self._folding = ExitStack()
        self.last_contact: float | None = None

    @property
    def is_down(self) -> bool:
        """Whether no broker is known to be responding."""
        return self._down_since is not None

    def start(self) -> None:
        """Expect a broker to respond from now on."""
        self.unavailable()

    def answered(self) -> None:
        """Record that a broker responded."""
        self.last_contact = self._clock()
        if self._down_since is not None and self._last_error is not None:
            log.info("a broker is responding again")
        self._down_since = None
        self._last_error = None
        self._waiting_reported = False
        self._folding.close()

    def connection_failed(self, error: KafkaError) -> None:
        """Record that a connection failed; others may still be open."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.unavailable()
        if self.is_down and not self._waiting_reported:
            self._waiting_reported = True
            reason = describe(self._last_error or error)
            log.warning("waiting for a broker at %s, %g s at most (%s)", self._servers, self._limit_seconds, reason)
        elif self._last_error is None and not self.is_down:
            log.warning("connection to a broker failed: %s", describe(error))
        self._last_error = error

    def unavailable(self) -> None:
        """Record that no connection is open: what librdkafka logs of its attempts adds nothing from now on."""
        if self._down_since is None:
            self._down_since = self._clock()
            self._folding.enter_context(REPEATED_LINES.folded())

    def check(self) -> None:
        """Raise if no broker has responded for too long.

        Raises:
            NoBroker: No broker has responded for `kafka.no_broker_seconds`.
        """
        if self._down_since is None or self._clock() - self._down_since < self._limit_seconds:
            return
        cause = f" ({describe(self._last_error)})" if self._last_error is not None else ""
        message = (
            f"no broker of {self._servers} answered for kafka.no_broker_seconds = {self._limit_seconds:g}{cause}: "
            "check kafka.bootstrap_servers, the network, and the TLS and SASL properties"
        )
        raise NoBroker(message)
