"""Where the missing events are: never sent, never read, never written, or only not heard of by the run's reader."""

import re
import uuid
from collections.abc import Callable, Collection
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from testkit.stream import Topics
from tests.chaos.events import NUMBER_HEADER

_AT_ONCE = 5000
_END_SECONDS = 60.0
_COMMENT = re.compile(rb'"comment":\{"id":"e-(\d+)"')

Places = dict[int, list[str]]
"""Of each event, the `partition/offset` of every record of it."""


def explain_missing(servers: str, topics: Topics, missing: Collection[int]) -> list[str]:
    """A sentence for each missing event, from reading all topics again from their beginnings."""
    wanted = frozenset(missing)
    sent = _places(servers, topics.input, wanted, _by_header)
    labelled = _places(servers, topics.output, wanted, _by_comment)
    dead = _places(servers, topics.dead_letters, wanted, _by_header)
    committed = topics.committed()
    return [
        f"e-{number}: in the input at {_words(sent, number)}, in the output at {_words(labelled, number)}, in the dead "
        f"letters at {_words(dead, number)}; the group has committed {committed}"
        for number in sorted(wanted)
    ]


def _places(servers: str, topic: str, wanted: Collection[int], number_of: Callable[[Any], int]) -> Places:
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"missing-events-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    open_ends: set[int | None] = set(consumer.list_topics(topic, timeout=_END_SECONDS).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition or 0, 0) for partition in open_ends])
    places: Places = {}
    while open_ends:
        for message in consumer.consume(_AT_ONCE, _END_SECONDS):
            error = message.error()
            if error is not None:
                if error.name() == "_PARTITION_EOF":
                    open_ends.discard(message.partition())
            elif (number := number_of(message)) in wanted:
                places.setdefault(number, []).append(f"{message.partition()}/{message.offset()}")
    consumer.close()
    return places


def _by_header(message: Any) -> int:
    return int(dict(message.headers() or ()).get(NUMBER_HEADER, b"-1"))


def _by_comment(message: Any) -> int:
    found = _COMMENT.search(message.value())
    return int(found[1]) if found else -1


def _words(places: Places, number: int) -> str:
    return ", ".join(places.get(number, [])) or "no place"
