"""Dead letters by stage and error: how many, since when, and the newest of each; bounded, whatever is in the topic."""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from worker.kafka.dead_letters.reader import DeadLetter, dead_letter
from worker.page.bytes_shown import shown
from worker.page.tail import Read
from worker.page.times import milliseconds_of, written
from worker.page.unknown import Json

MOST_GROUPS = 200
MOST_LETTERS = 500
"""Newest letters that are kept of a group."""

MOST_IN_ALL = 10_000
"""Letters that are kept of all groups: at most about 8 KB each, where every character takes four bytes."""

_MOST_NAME = 200
_MOST_REASON = 1000
_OTHERS = ("", "of more kinds than are kept apart")


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """What is kept of a dead letter.

    Attributes:
        number: Counts the letters read.
    """

    number: int
    partition: int
    offset: int
    at: str
    stage: str
    error: str
    reason: str
    hops: int
    source: str
    preview: str

    def row(self, topic: str) -> dict[str, Json]:
        """A row of a list."""
        return {
            "key": f"{topic}/{self.partition}/{self.offset}",
            "at": self.at,
            "stage": self.stage,
            "error": self.error,
            "detail": self.reason,
            "hops": self.hops,
            "source": self.source,
        }


@dataclass(slots=True)
class LetterGroup:
    """The letters of one stage and error.

    Attributes:
        count: Letters read, in all.
        is_mixed: Whether its stage and error are not those of each of its letters: they were cut, or are of more kinds
            than are kept apart.
        first: When the first of them failed, RFC 3339.
        last: When the last did.
        letters: The newest of them, in the order they were read.
    """

    id: str
    stage: str
    error: str
    count: int = 0
    is_mixed: bool = False
    first: str = ""
    last: str = ""
    letters: deque[KeptLetter] = field(default_factory=deque)

    def add(self, letter: KeptLetter) -> None:
        """Add a letter."""
        self.count += 1
        self.first = min(filter(None, (self.first, letter.at)), default="")
        self.last = max(self.last, letter.at)
        self.letters.append(letter)

    def as_json(self, topic: str, *, with_text: bool) -> dict[str, Json]:
        """The group with its newest letter."""
        newest = self.letters[-1]
        sample = {
            "key": f"{topic}/{newest.partition}/{newest.offset}",
            "topic": topic,
            "partition": newest.partition,
            "offset": newest.offset,
            "hops": newest.hops,
            "detail": newest.reason,
        }
        if with_text:
            sample["preview"] = newest.preview
        return {
            "id": self.id,
            "stage": self.stage,
            "error": self.error,
            "count": self.count,
            "first": self.first,
            "last": self.last,
            "sample": sample,
        }


class LetterGroups:
    """The groups; any thread may add and ask.

    Args:
        topic: The dead letter topic.

    Attributes:
        passed_over: Letters of the topic that were not read.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.passed_over = 0
        self._count = 0
        self._kept = 0
        self._groups: dict[tuple[str, str], LetterGroup] = {}
        self._lock = Lock()

    def take(self, found: Read) -> None:
        """Add what a follower has read."""
        with self._lock:
            self.passed_over += found.passed_over
            for record in found.records:
                self._add(dead_letter(record))

    def groups(self) -> Sequence[LetterGroup]:
        """All groups, the one with the newest letter first."""
        with self._lock:
            return sorted(self._groups.values(), key=lambda group: group.last, reverse=True)

    def group(self, group_id: str) -> LetterGroup | None:
        """The group of this id."""
        return next((group for group in self.groups() if group.id == group_id), None)

    def letters(self, group: LetterGroup) -> Sequence[KeptLetter]:
        """The newest letters of a group, the newest first."""
        with self._lock:
            return list(reversed(group.letters))

    def _add(self, letter: DeadLetter) -> None:
        kind = (letter.stage[:_MOST_NAME], letter.error[:_MOST_NAME])
        if kind not in self._groups and len(self._groups) >= MOST_GROUPS:
            kind = _OTHERS  # a writer that invents errors must not fill the memory
        group = self._groups.get(kind)
        if group is None:
            group = self._groups[kind] = LetterGroup(_id_of(*kind), *kind)
        group.is_mixed |= kind != (letter.stage, letter.error)
        self._count += 1
        record = letter.record
        failed_at_ms = milliseconds_of(letter.failed_at)
        at = written(max(0, record.timestamp()[1]) if failed_at_ms is None else failed_at_ms)
        source = f"{letter.topic}/{letter.partition}/{letter.offset}"[: 2 * _MOST_NAME]
        group.add(
            KeptLetter(
                self._count,
                record.partition() or 0,
                record.offset() or 0,
                at,
                letter.stage[:_MOST_NAME],
                letter.error[:_MOST_NAME],
                letter.reason[:_MOST_REASON],
                letter.replays,
                source,
                shown(record.value()),
            )
        )
        self._kept += 1
        if len(group.letters) > MOST_LETTERS:
            self._drop_oldest(group)
        elif self._kept > MOST_IN_ALL:
            self._drop_oldest(max(self._groups.values(), key=lambda each: len(each.letters)))

    def _drop_oldest(self, group: LetterGroup) -> None:
        group.letters.popleft()
        self._kept -= 1


def _id_of(stage: str, error: str) -> str:
    """A name for a group that fits into an address, the same after a restart."""
    return hashlib.sha256(f"{stage}\0{error}".encode(errors="replace")).hexdigest()[:16]
