"""What must come out of a stream of events, and what came: a few bytes an event, so that millions fit."""

import zlib
from array import array
from collections import Counter
from typing import Any

import jiter
import numpy as np
from numpy.typing import NDArray

from tests.chaos.events import CHECKSUM_HEADER, ERRORS, KEYS, LABELLED, NUMBER_HEADER, Kind, Stream, key_of, labels_of
from tests.chaos.findings import Findings
from tests.chaos.losses import Losses
from tests.chaos.places import Place
from tests.chaos.variants import variant_of

_ERROR_HEADER = "__connect.errors.exception.class.name"
_INSTANCE_HEADER = "__connect.errors.task.id"
_MOST = 255
_STALE = 2


class Oracle:
    """Judges every label event and dead letter, in the order of their partitions.

    Args:
        stream: What was sent.
        losses: Where it lies, and what of it may be lost.

    Attributes:
        settled: Events that came out at least once.
        repeats: How often one came out again.
        doubled: Numbers of the events that did (the first few).
        moved_twice: How many of them came out once under the id of a deleted topic, read before a worker noticed.
        rescored: How many repeats another model or threshold set made: these must have another event id.
        differing: Repeats whose event id differs although log, model and threshold set do not, or the reverse.
        unexplained: Dead letters and label events that do not belong to what was sent (the first few, in words).
        altered: Label events with wrong labels or source, dead letters with other bytes or another key (likewise).
        disorder: Label events that came after a later one of their key in the same partition (likewise).
        dead_letters: How many came, by worker and error.
        other_errors: Errors that a fault makes possible at present for events that are good.
    """

    def __init__(self, stream: Stream, losses: Losses) -> None:
        self._stream = stream
        self._places = losses.places
        self._losses = losses
        self._count = bytearray()
        self._identity = array("Q")
        self._made_by = bytearray()
        self._doubled: set[int] = set()
        self._latest: dict[tuple[int, int, int], int] = {}
        self.settled = self.repeats = self.moved_twice = self.rescored = 0
        self.doubled = Findings()
        self.differing = Findings()
        self.unexplained = Findings()
        self.altered = Findings()
        self.disorder = Findings()
        self.dead_letters: Counter[tuple[str, str]] = Counter()
        self.other_errors: set[bytes] = set()

    @property
    def missing(self) -> int:
        """How many events have not come out, and are not explained as lost."""
        return self._stream.owed - self.settled - self._losses.count

    def missing_numbers(self, limit: int | None = None) -> list[int]:
        """The first so many of them, or all."""
        explained = np.array(sorted(set().union(*self._losses.explained.values())), dtype=np.int64)
        found: list[int] = np.setdiff1d(self._not_out(), explained).tolist()
        return found[:limit]

    def explain_losses(self) -> None:
        """Compare what has not come out with what the workers report."""
        self._losses.explain(self._not_out())

    def label_event(self, message: Any) -> None:
        """Judge a record of the output topic."""
        event = jiter.from_json(message.value())
        name = event["comment"]["id"]
        number = int(name.removeprefix("e-"))
        if not 0 <= number < len(self._stream) or self._stream.kinds[number] not in LABELLED:
            self.unexplained.add(f"a label event for {name}")
            return
        variant = variant_of(event["model"]["digest"], event["thresholds"]["set"])
        source, place = event["source"], self._places[number]
        if (
            variant is None
            or event["labels"] != labels_of(number, variant)
            or message.key() != key_of(number)
            or not self._lies_at(place, source)
        ):
            self.altered.add(f"the label event of {name}")
            return
        stale = source["topic_id"] != self._places.topic_ids[place.log]
        made_by = 1 + variant + _STALE * stale
        identity = int(event["id"][:18].replace("-", ""), 16)
        if not self._came_before(number):
            self._identity[number], self._made_by[number] = identity, made_by
            self._judge_order(number, name, (place.log, source["partition"], number % KEYS))
            return
        first = self._made_by[number]
        self._repeated(number, twice_moved=bool(first) and (first > _STALE) != stale and self._places.is_early(place))
        if first and (self._identity[number] == identity) != (first == made_by):
            self.differing.add(name)
        elif first and first != made_by:
            self.rescored += (first > _STALE) == stale

    def dead_letter(self, message: Any) -> None:
        """Judge a record of the dead letter topic."""
        headers = dict(message.headers() or ())
        number = int(headers.get(NUMBER_HEADER, b"-1"))
        error = headers.get(_ERROR_HEADER, b"")
        self.dead_letters[headers.get(_INSTANCE_HEADER, b"").decode(), error.decode()] += 1
        kind = Kind(self._stream.kinds[number]) if 0 <= number < len(self._stream) else None
        if kind is None or not self._may_be(kind, error):
            self.unexplained.add(f"a dead letter {error.decode()} for e-{number} ({kind.name if kind else 'not sent'})")
            return
        if b"%d" % zlib.crc32(message.value() or b"") != headers[CHECKSUM_HEADER] or message.key() != key_of(number):
            self.altered.add(f"the dead letter of e-{number}")
        if self._came_before(number):
            # A dead letter does not name its log.
            self._repeated(number, twice_moved=self._places.is_early(self._places[number]))

    def _may_be(self, kind: Kind, error: bytes) -> bool:
        return ERRORS.get(kind) == error or (kind in LABELLED and error in self.other_errors)

    def _lies_at(self, place: Place, source: dict[str, Any]) -> bool:
        """Whether a label event names the place of its comment, in its log or in the one before."""
        logs = self._places.topic_ids[max(0, place.log - 1) : place.log + 1]
        known = place.partition < 0 or (source["partition"], source["offset"]) == place[1:]
        return known and source["topic_id"] in logs

    def _judge_order(self, number: int, name: str, key: tuple[int, int, int]) -> None:
        latest = self._latest.get(key, -1)
        if number < latest:
            self.disorder.add(f"{name} after e-{latest}")
        self._latest[key] = max(number, latest)

    def _came_before(self, number: int) -> bool:
        if number >= len(self._count):
            more = len(self._stream) - len(self._count)
            self._count.extend(bytes(more))
            self._made_by.extend(bytes(more))
            self._identity.extend([0] * more)
        count = self._count[number]
        self._count[number] = min(_MOST, count + 1)
        if not count:
            self.settled += 1
            self._losses.came_out(number)
        return bool(count)

    def _repeated(self, number: int, *, twice_moved: bool) -> None:
        if twice_moved:
            self.moved_twice += 1
            return
        self.repeats += 1
        if number not in self._doubled:
            self._doubled.add(number)
            self.doubled.add(f"e-{number}")

    def _not_out(self) -> NDArray[np.int64]:
        kinds = np.frombuffer(bytes(self._stream.kinds), dtype=np.uint8)
        counts = np.zeros(len(kinds), dtype=np.uint8)
        counts[: len(self._count)] = np.frombuffer(bytes(self._count), dtype=np.uint8)
        return np.flatnonzero((kinds != Kind.TOMBSTONE) & (counts == 0))
