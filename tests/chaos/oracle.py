"""What must come out of a stream of events, and what came: a few bytes an event, so that millions fit."""

import zlib
from array import array
from collections.abc import Iterable
from typing import Any

import jiter

from tests.chaos.events import CHECKSUM_HEADER, ERRORS, KEYS, NUMBER_HEADER, Kind, Stream, key_of, labels_of

_ERROR_HEADER = "__connect.errors.exception.class.name"
_MOST = 255


class Oracle:
    """Hears of every label event and dead letter, in the order of their partitions.

    Attributes:
        settled: Events that came out at least once.
        repeats: How often one came out again.
        doubled: Numbers of the events that did (the first few).
        differing: Label events that repeat an earlier one under another event id.
        unexplained: Dead letters and label events that do not belong to what was sent (the first few, in words).
        altered: Label events with wrong labels, dead letters with other bytes or another key (likewise).
        disorder: Label events that came after a later one of their key (likewise).
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._count = bytearray()
        self._identity = array("Q")
        self._latest_of_key = array("q", [-1] * KEYS)
        self.settled = 0
        self.repeats = 0
        self.doubled = Findings()
        self.differing = Findings()
        self.unexplained = Findings()
        self.altered = Findings()
        self.disorder = Findings()

    @property
    def missing(self) -> int:
        """How many events have not come out."""
        return self._stream.owed - self.settled

    def missing_numbers(self, limit: int | None = None) -> list[int]:
        """The first so many of them, or all."""
        found = []
        for number, kind in enumerate(self._stream.kinds):
            if kind != Kind.TOMBSTONE and (number >= len(self._count) or not self._count[number]):
                found.append(number)
                if len(found) == limit:
                    break
        return found

    def hear(self, label_events: Iterable[Any], dead_letters: Iterable[Any]) -> None:
        """All that came out of a stream that has ended."""
        for message in label_events:
            self.label_event(message)
        for message in dead_letters:
            self.dead_letter(message)

    def label_event(self, message: Any) -> None:
        """A record of the output topic."""
        event = jiter.from_json(message.value())
        name = event["comment"]["id"]
        number = int(name.removeprefix("e-"))
        if not self._sent(number, Kind.COMMENT):
            self.unexplained.add(f"a label event for {name}")
            return
        if event["labels"] != labels_of(number) or message.key() != key_of(number):
            self.altered.add(f"the label event of {name}")
        identity = int(event["id"][:18].replace("-", ""), 16)
        if self._came_before(number):
            if self._identity[number] != identity:
                self.differing.add(name)
            return
        self._identity[number] = identity
        key = number % KEYS
        if number < self._latest_of_key[key]:
            self.disorder.add(f"{name} after e-{self._latest_of_key[key]}")
        self._latest_of_key[key] = max(number, self._latest_of_key[key])

    def dead_letter(self, message: Any) -> None:
        """A record of the dead letter topic."""
        headers = dict(message.headers() or ())
        number = int(headers.get(NUMBER_HEADER, b"-1"))
        error = headers.get(_ERROR_HEADER, b"")
        kind = Kind(self._stream.kinds[number]) if 0 <= number < len(self._stream) else None
        if kind is None or ERRORS.get(kind) != error:
            self.unexplained.add(f"a dead letter {error.decode()} for e-{number} ({kind.name if kind else 'not sent'})")
            return
        if b"%d" % zlib.crc32(message.value() or b"") != headers[CHECKSUM_HEADER] or message.key() != key_of(number):
            self.altered.add(f"the dead letter of e-{number}")
        self._came_before(number)

    def _sent(self, number: int, kind: Kind) -> bool:
        # An event that is too large for the output topic must not be there either.
        return 0 <= number < len(self._stream) and self._stream.kinds[number] == kind

    def _came_before(self, number: int) -> bool:
        if number >= len(self._count):
            more = len(self._stream) - len(self._count)
            self._count.extend(bytes(more))
            self._identity.extend([0] * more)
        count = self._count[number]
        self._count[number] = min(_MOST, count + 1)
        if count:
            self.repeats += 1
            if count == 1:
                self.doubled.add(f"e-{number}")
        else:
            self.settled += 1
        return bool(count)


class Findings:
    """Counts all, keeps the first few."""

    _KEPT = 20

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []

    def add(self, what: str) -> None:
        """One more."""
        self.count += 1
        if len(self.examples) < self._KEPT:
            self.examples.append(what)
