"""A watch on each topic that is read: on those named in the settings always, on others while they are held.

One request asks for all of them: a pattern may match hundreds of topics.
"""

from collections.abc import Iterable

from worker.kafka.client.log_queries import LogQueries
from worker.kafka.consumer.topic_watch import Log, TopicWatch
from worker.protocols import Clock


class TopicWatches:
    """Watches topics. Used only from the consumer's thread.

    Args:
        topics: Topics to watch from the beginning; more are added as they are assigned.
        queries: Queries the broker.
        clock: Returns monotonic seconds.

    Attributes:
        replacements: How often a topic that was read has been found deleted and created again.
    """

    def __init__(self, topics: Iterable[str], queries: LogQueries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._named = frozenset(topics)
        self._watches = {topic: TopicWatch(topic, clock) for topic in self._named}
        self._there_at_start: frozenset[str] | None = None
        self._seen_ids: dict[str, str] = {}
        self.replacements = 0

    @property
    def missing(self) -> tuple[str, ...]:
        """The topics that do not exist, in order."""
        return tuple(sorted(topic for topic, watch in self._watches.items() if watch.missing))

    @property
    def knows_what_was_there(self) -> bool:
        """Whether the topics that were there at the start are named, by the settings or by `there_at_start`."""
        return bool(self._named) or self._there_at_start is not None

    def there_at_start(self, topics: Iterable[str]) -> None:
        """Note the topics that a worker with a pattern finds when it starts."""
        self._there_at_start = frozenset(topics)

    def appeared(self, topic: str) -> bool:
        """Whether a topic has appeared since a worker with a pattern started."""
        return self._there_at_start is not None and topic not in self._there_at_start

    def of(self, topic: str) -> TopicWatch:
        """The watch on a topic, begun if there is none."""
        watch = self._watches.get(topic)
        if watch is None:
            watch = self._watches[topic] = TopicWatch(topic, self._clock)
        return watch

    def keep(self, held: Iterable[str]) -> None:
        """End the watch on topics that are neither named in the settings nor among those held."""
        for topic in self._watches.keys() - self._named - set(held):
            del self._watches[topic]

    def look(self) -> None:
        """Process responses that have arrived, and query again when it is time; never blocks."""
        for watch in self._watches.values():
            watch.look()
        self._count_replacements()
        if any(watch.due for watch in self._watches.values()):
            # Those that are not due go along, so that topics assigned at different times share a request from then on.
            self._ask(topic for topic, watch in self._watches.items() if watch.idle)

    def look_soon(self) -> None:
        """Query at the next `look`, since something suggests a change."""
        for watch in self._watches.values():
            watch.look_soon()

    def look_now(self, topics: Iterable[str], timeout_seconds: float) -> dict[str, Log]:
        """Query these topics and wait for the responses; a topic without one has its last known log, or is left out."""
        asked = {topic: self.of(topic) for topic in topics}
        self._ask(asked)
        until = self._clock() + timeout_seconds
        found = {topic: watch.wait(max(0.0, until - self._clock())) for topic, watch in asked.items()}
        self._count_replacements()
        return {topic: log for topic, log in found.items() if log is not None}

    def _count_replacements(self) -> None:
        """Compare ids with those seen before, also before a topic was held for the last time."""
        for topic, watch in self._watches.items():
            if watch.known is None or not watch.known.topic_id:
                continue
            if self._seen_ids.setdefault(topic, watch.known.topic_id) != watch.known.topic_id:
                self._seen_ids[topic] = watch.known.topic_id
                self.replacements += 1

    def _ask(self, topics: Iterable[str]) -> None:
        at = self._clock()
        for topic, response in self._queries.describe(topics).items():
            self._watches[topic].asked(response, at)
