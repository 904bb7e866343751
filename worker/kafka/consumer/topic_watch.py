"""Which log an input topic's name refers to, checked periodically and at every sign of a change.

A topic that is deleted and recreated keeps its name, and librdkafka continues in the new log at the old offset
(librdkafka#3255). No error is raised if the new log is already longer, so the topic's id (KIP-516) is queried.
"""

import logging
from concurrent.futures import TimeoutError as OutOfTime
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException

from worker.kafka.client.error_codes import REFUSED, error_of
from worker.kafka.client.log_queries import Answer, topic_id
from worker.protocols import Clock

log = logging.getLogger(__name__)

BETWEEN_LOOKS_SECONDS = 2.0
"""Limits how much of a new log is read at the old log's offset before this is noticed; a check is one small request for
all topics together."""

_ABSENT_LOOKS = 2
"""A newly created topic is not known to every broker at once."""


class Log(NamedTuple):
    """The log that a topic's name refers to.

    Attributes:
        topic_id: The topic's id; empty if the broker reports none.
        partitions: How many partitions it has.
    """

    topic_id: str
    partitions: int


class TopicWatch:
    """Knows one topic from what the broker answers. Used only from the consumer's thread.

    Args:
        topic: The topic's name.
        clock: Returns monotonic seconds.

    Attributes:
        known: The last log seen; None before the first response.
        as_of: When the query behind the last response was sent, on the clock.
        missing: Whether the broker reports that there is no such topic.
        denied: Whether the broker refuses to describe the topic, so that its id stays unknown.
    """

    def __init__(self, topic: str, clock: Clock) -> None:
        self._topic = topic
        self._clock = clock
        self._asked: Answer | None = None
        self._not_before = clock()
        self._asked_at = self._not_before
        self._absent_looks = 0
        self._replaced: set[str] = set()
        self.as_of = float("-inf")
        self.known: Log | None = None
        self.missing = False
        self.denied = False

    @property
    def answered(self) -> bool:
        """Whether all is known that this worker can know of the log that the name refers to."""
        return self.known is not None or self.denied

    @property
    def was_replaced(self) -> bool:
        """Whether the topic has been recreated since this worker began watching it."""
        return bool(self._replaced)

    @property
    def idle(self) -> bool:
        """Whether no response is awaited."""
        return self._asked is None

    @property
    def due(self) -> bool:
        """Whether it is time to query."""
        return self.idle and self._clock() >= self._not_before

    def look(self) -> None:
        """Process a response that has arrived; never blocks."""
        if self._asked is not None and self._asked.done():
            self._take_in(self._asked, 0)

    def look_soon(self) -> None:
        """Make it time to query, since something suggests a change."""
        self._not_before = self._clock()

    def asked(self, response: Answer, at: float) -> None:
        """Await the response to a query that was sent at this time; replaces one that is still awaited."""
        self._asked = response
        self._asked_at = at
        self._not_before = at + BETWEEN_LOOKS_SECONDS

    def wait(self, timeout_seconds: float) -> Log | None:
        """Wait for the response; return the last known log if none arrives in time."""
        if self._asked is not None:
            self._take_in(self._asked, timeout_seconds)
        return self.known

    def _take_in(self, asked: Answer, timeout_seconds: float) -> None:
        try:
            described = asked.result(timeout_seconds)
        except OutOfTime:
            return  # a later look processes it
        except KafkaException as error:
            self._asked = None
            self._refused(error_of(error))
            return
        self._asked = None
        self._seen(Log(topic_id(described), len(described.partitions)))

    def _seen(self, found: Log) -> None:
        if found.topic_id in self._replaced:
            return  # from a broker that does not know the new topic yet
        self.as_of = self._asked_at
        self._absent_looks = 0
        if self.missing:
            self.missing = False
            log.info("topic %s exists", self._topic)
        if self.known is not None and self.known.topic_id not in ("", found.topic_id):
            self._replaced.add(self.known.topic_id)
        self.known = found

    def _refused(self, error: KafkaError) -> None:
        self.denied = error.code() in REFUSED
        if error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            return  # no response, or no permission: the consumer gets an error for either itself
        self._absent_looks += 1
        if self._absent_looks < _ABSENT_LOOKS or self.missing:
            return
        self.missing = True
        if self.known is None:
            log.warning(
                "topic %s does not exist; `sluice topics` creates it. The worker is waiting for it", self._topic
            )
        else:
            log.error(
                "topic %s was deleted while the worker was reading it. The worker is waiting for a topic of that name "
                "and will read it from the beginning",
                self._topic,
            )
