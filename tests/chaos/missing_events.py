"""Where the missing events are: never sent, never read, never written, or only not seen by the run's reader."""

import re
from collections.abc import Callable, Collection
from typing import Any

from testkit.stream import Topics
from testkit.topic_reader import read_to_end
from tests.chaos.events import NUMBER_HEADER

_COMMENT = re.compile(rb'"comment":\{"id":"e-(\d+)"')

Places = dict[int, list[str]]
"""The `partition/offset` of every record of each event."""


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
    places: Places = {}
    for message in read_to_end(servers, topic):
        if (number := number_of(message)) in wanted:
            places.setdefault(number, []).append(f"{message.partition()}/{message.offset()}")
    return places


def _by_header(message: Any) -> int:
    return int(dict(message.headers() or ()).get(NUMBER_HEADER, b"-1"))


def _by_comment(message: Any) -> int:
    found = _COMMENT.search(message.value())
    return int(found[1]) if found else -1


def _words(places: Places, number: int) -> str:
    return ", ".join(places.get(number, [])) or "no place"
