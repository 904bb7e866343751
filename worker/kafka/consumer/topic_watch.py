"""Which log the input topic's name stands for, looked at from time to time and at every sign of a change.

A topic that is deleted and created again keeps its name, and librdkafka reads on in the new log at the old offset
(librdkafka#3255). No error comes where the new log is already longer, so the topic's id (KIP-516) is asked for.
"""

import logging
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTime
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException

from worker.kafka.client.error_codes import error_of
from worker.kafka.client.log_queries import LogQueries, topic_id
from worker.protocols import Clock

log = logging.getLogger(__name__)

BETWEEN_LOOKS_SECONDS = 2.0
"""Bounds how much of a new log is read at the old log's offset before it is noticed; one small request each time."""

_ABSENT_LOOKS = 2
"""A topic just created is not known to every broker at once."""


class Log(NamedTuple):
    """What a topic's name stands for.

    Attributes:
        topic_id: Empty when the broker gives none.
        partitions: How many it has.
    """

    topic_id: str
    partitions: int


class TopicWatch:
    """Looks at one topic; used by the consumer's thread.

    Args:
        topic: Its name.
        queries: Asks.
        clock: Monotonic seconds.

    Attributes:
        known: The last log seen; None before the first answer.
        as_of: When the last answer was asked for, on the clock.
        missing: True while the broker says that there is no such topic.
    """

    def __init__(self, topic: str, queries: LogQueries, clock: Clock) -> None:
        self._topic = topic
        self._queries = queries
        self._clock = clock
        self._asked: Future[Any] | None = None
        self._not_before = clock()
        self._asked_at = self._not_before
        self._absent_looks = 0
        self._replaced: set[str] = set()
        self.as_of = float("-inf")
        self.known: Log | None = None
        self.missing = False

    @property
    def was_replaced(self) -> bool:
        """True once the topic was created again while this worker watched it."""
        return bool(self._replaced)

    def look(self) -> None:
        """Take in an answer that has come, and ask again when it is time; never waits."""
        if self._asked is not None:
            if not self._asked.done():
                return
            self._take_in(self._asked, 0)
        if self._clock() >= self._not_before:
            self._ask()

    def look_soon(self) -> None:
        """Something points to a change: the next look asks."""
        self._not_before = self._clock()

    def look_now(self, timeout_seconds: float) -> Log | None:
        """Ask, and wait so long for the answer; the last log known when none comes."""
        self._take_in(self._ask(), timeout_seconds)
        return self.known

    def _ask(self) -> Future[Any]:
        self._asked_at = self._clock()
        self._not_before = self._asked_at + BETWEEN_LOOKS_SECONDS
        self._asked = self._queries.describe()
        return self._asked

    def _take_in(self, asked: Future[Any], timeout_seconds: float) -> None:
        try:
            described = asked.result(timeout_seconds)
        except OutOfTime:
            return  # a later look takes it in
        except KafkaException as error:
            self._asked = None
            self._refused(error_of(error))
            return
        self._asked = None
        self._seen(Log(topic_id(described), len(described.partitions)))

    def _seen(self, found: Log) -> None:
        if found.topic_id in self._replaced:
            return  # a broker that has not heard of the new topic yet
        self.as_of = self._asked_at
        self._absent_looks = 0
        if self.missing:
            self.missing = False
            log.info("topic %s is there", self._topic)
        if self.known is not None and self.known.topic_id not in ("", found.topic_id):
            self._replaced.add(self.known.topic_id)
        self.known = found

    def _refused(self, error: KafkaError) -> None:
        if error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            return  # no answer, or no right to ask: the consumer hears of both by itself
        self._absent_looks += 1
        if self._absent_looks < _ABSENT_LOOKS or self.missing:
            return
        self.missing = True
        if self.known is None:
            log.warning("topic %s does not exist; `sluice topics` creates it. The worker waits for it", self._topic)
        else:
            log.error(
                "topic %s is gone: it was deleted while the worker read it. The worker waits for a topic of that name, "
                "and reads it from its beginning",
                self._topic,
            )
