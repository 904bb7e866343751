"""Reads the dead letters currently in their topic. Nothing is committed, so they can be read again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from schemas.dead_letter import CONNECT_PREFIX
from worker.events.dead_letter import ORIGIN_HEADER, replay_count
from worker.events.headers import headers_of
from worker.kafka.present_records import Starts, present_records
from worker.protocols import Clock
from worker.settings import Settings
from worker.types import Record

_FAILED_AT = "dlq.failed_at"


class DeadLetter(NamedTuple):
    """One dead letter, with what its headers say; an absent header gives an empty string.

    Attributes:
        record: The dead letter's own record: key, value, headers.
        topic: Topic the record was read from when it failed.
        origin: `topic/partition/offset` of its first failure.
        failed_at: RFC 3339.
        replays: How often it has been replayed.
    """

    record: Record
    topic: str
    partition: str
    offset: str
    stage: str
    error: str
    reason: str
    failed_at: str
    origin: str
    replays: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Selects the dead letters that meet every condition given.

    Attributes:
        errors: Error classes ("InvalidJson"); empty for any.
        stages: Stages ("DECODE"); empty for any.
        since: RFC 3339 in UTC, as in `dlq.failed_at`: failed at this time or later.
        until: Likewise: failed before this time.
    """

    errors: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""

    def takes(self, letter: DeadLetter) -> bool:
        """Whether this letter is selected."""
        return (
            (not self.errors or letter.error in self.errors)
            and (not self.stages or letter.stage in self.stages)
            and self.since <= letter.failed_at
            and (not self.until or letter.failed_at < self.until)
        )


def dead_letter(record: Record) -> DeadLetter:
    """Parse the headers of a dead letter; the last of repeated ones counts."""
    received = headers_of(record)
    headers = {name: (value or b"").decode(errors="replace") for name, value in received}
    return DeadLetter(
        record,
        topic=headers.get(CONNECT_PREFIX + "topic", ""),
        partition=headers.get(CONNECT_PREFIX + "partition", ""),
        offset=headers.get(CONNECT_PREFIX + "offset", ""),
        stage=headers.get(CONNECT_PREFIX + "stage", ""),
        error=headers.get(CONNECT_PREFIX + "exception.class.name", ""),
        reason=headers.get(CONNECT_PREFIX + "exception.message", ""),
        failed_at=headers.get(_FAILED_AT, ""),
        origin=headers.get(ORIGIN_HEADER, ""),
        replays=replay_count(received),
    )


def read_dead_letters(
    settings: Settings, chosen: Filter, *, clock: Clock, starts: Starts | None = None
) -> Iterator[DeadLetter]:
    """Yield the dead letters currently in the topic, partition by partition in order of failure.

    Args:
        settings: Where the broker is, and the topic's name.
        chosen: Which letters to yield.
        clock: Monotonic seconds.
        starts: Where to start; None starts with the oldest.

    Raises:
        NoBroker: No broker answered for `kafka.no_broker_seconds`.
        Fatal: The topic does not exist or can't be read, or the broker refuses this client.
    """
    for record in present_records(settings, settings.dead_letters.topic, clock=clock, starts=starts):
        letter = dead_letter(record)
        if chosen.takes(letter):
            yield letter
