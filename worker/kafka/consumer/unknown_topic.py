"""Says that the input topic is not there, where the group protocol does not.

With KIP-848 the coordinator matches the subscription itself, and librdkafka hears nothing of a topic that is missing:
the worker would wait without a word. With the classic protocol an error comes in the place of a record.
"""

import logging

from confluent_kafka import Consumer, KafkaException

from worker.protocols import Clock

log = logging.getLogger(__name__)

_BETWEEN_LOOKS_SECONDS = 10.0
_CALL_SECONDS = 1.0


class UnknownTopic:
    """Looks for a topic from time to time until it has been seen once.

    Args:
        topic: Its name.
        clock: Monotonic seconds.
    """

    def __init__(self, topic: str, clock: Clock) -> None:
        self._topic = topic
        self._clock = clock
        self._not_before = clock()
        self._seen = False

    def look(self, consumer: Consumer) -> None:
        """Log a warning if the topic is not there; to be called while nothing is assigned. Waits a second at most."""
        if self._seen or self._clock() < self._not_before:
            return
        self._not_before = self._clock() + _BETWEEN_LOOKS_SECONDS
        try:
            # All topics: asking for one by name would create it on a broker that allows that.
            self._seen = self._topic in consumer.list_topics(timeout=_CALL_SECONDS).topics
        except KafkaException:
            return  # no answer: that is told elsewhere
        if not self._seen:
            log.warning("topic %s does not exist; `sluice topics` creates it. The worker waits for it", self._topic)
