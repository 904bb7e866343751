"""What is sent: numbered comments, and everything that can be wrong with one, in known places."""

import base64
import random
import zlib
from enum import IntEnum
from typing import NamedTuple

from testkit.keyword_classifier import POISON
from tests.chaos.variants import Variant, VariantClassifier

KEYS = 400
"""Records of one key must stay in order."""

MAX_VALUE_BYTES = 100_000
"""For `input.max_value_bytes`."""

MAX_OUTPUT_BYTES = 65_536
"""For `max.message.bytes` of the output topic."""

LOWERED_OUTPUT_BYTES = 6_000
"""What a fault lowers it to: too little for the label event of a long comment."""

NUMBER_HEADER = "number"
CHECKSUM_HEADER = "crc32"


class Kind(IntEnum):
    """What an event is."""

    COMMENT = 0
    MALFORMED = 1
    TOMBSTONE = 2
    OVERSIZED = 3
    POISON = 4
    OUTPUT_TOO_LARGE = 5
    LONG = 6


ERRORS = {
    Kind.MALFORMED: b"InvalidJson",
    Kind.OVERSIZED: b"ValueTooLarge",
    Kind.POISON: b"Poison",
    Kind.OUTPUT_TOO_LARGE: b"OutputTooLarge",
}
"""Dead letters that each kind must become; a comment, long or short, becomes a label event, a tombstone nothing."""

LABELLED = frozenset({Kind.COMMENT, Kind.LONG})
"""The kinds that become label events."""

_SHARES = {
    Kind.COMMENT: 0.9525,
    Kind.MALFORMED: 0.02,
    Kind.TOMBSTONE: 0.02,
    Kind.OVERSIZED: 0.0025,
    Kind.POISON: 0.0025,
    Kind.OUTPUT_TOO_LARGE: 0.0005,
    Kind.LONG: 0.002,
}

_TEXTS = ("good morning", "you stupid jerk", "I will hurt you", "thanks, that helped")


class Event(NamedTuple):
    """A record to send."""

    number: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Stream:
    """Events from number 0 on, the same for the same seed.

    Attributes:
        kinds: Kind of each event made so far, one byte an event.
        owed: How many of them must come out as a label event or a dead letter.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._kinds = list(_SHARES)
        self._weights = list(_SHARES.values())
        self.kinds = bytearray()
        self.owed = 0

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, count: int) -> list[Event]:
        """The next so many."""
        return [self._make(kind) for kind in self._random.choices(self._kinds, self._weights, k=count)]

    def add(self, kind: Kind) -> Event:
        """One more, of this kind."""
        return self._make(kind)

    def _make(self, kind: Kind) -> Event:
        number = len(self.kinds)
        self.kinds.append(kind)
        self.owed += kind is not Kind.TOMBSTONE
        value = self._value(number, kind)
        headers = [(NUMBER_HEADER, b"%d" % number), (CHECKSUM_HEADER, b"%d" % zlib.crc32(value or b""))]
        return Event(number, key_of(number), value, headers)

    def _value(self, number: int, kind: Kind) -> bytes | None:
        match kind:
            case Kind.COMMENT:
                return b'{"id":"e-%d","text":"%b"}' % (number, text_of(number).encode())
            case Kind.MALFORMED:
                return b'{"id":"e-%d","text":' % number
            case Kind.TOMBSTONE:
                return None
            case Kind.OVERSIZED:
                return b'{"id":"e-%d","text":"%b"}' % (number, b"x" * MAX_VALUE_BYTES)
            case Kind.POISON:
                return b'{"id":"e-%d","text":"%b"}' % (number, POISON.encode())
            case Kind.OUTPUT_TOO_LARGE:
                return b'{"id":"e-%d","text":"%b"}' % (number, _noise(number, MAX_OUTPUT_BYTES))
            case Kind.LONG:
                text = text_of(number).encode()
                return b'{"id":"e-%d","text":"%b %b"}' % (number, text, _noise(number, LOWERED_OUTPUT_BYTES))


def key_of(number: int) -> bytes:
    """Key of an event."""
    return b"k%d" % (number % KEYS)


def text_of(number: int) -> str:
    """Text of an event that is a comment."""
    return _TEXTS[number // KEYS % len(_TEXTS)]


def labels_of(number: int, variant: Variant = Variant.USUAL) -> list[str]:
    """Labels that a variant of the classifier gives it."""
    return _LABELS[variant][number // KEYS % len(_TEXTS)]


def _noise(number: int, size: int) -> bytes:
    # The broker looks at the compressed size, so the text must not compress.
    return base64.b64encode(random.Random(number).randbytes(size))


def _classify(variant: Variant) -> list[list[str]]:
    classifier = VariantClassifier(variant)
    scored = classifier.score(classifier.encode(_TEXTS))
    return [list(getattr(each, "labels", ())) for each in scored]


_LABELS = {variant: _classify(variant) for variant in Variant}
