"""Partitions that stand still: the same error, again and again, where the next record should be.

A batch that can't be unpacked, or that is damaged on the broker's disk, is fetched again for ever. The other partitions
go on, the lag of this one does not even grow where nothing new comes, and nothing else shows it.
"""

import logging
from dataclasses import dataclass

from confluent_kafka import KafkaError

from worker.facts import Standing
from worker.kafka.client.error_codes import describe
from worker.protocols import Clock

log = logging.getLogger(__name__)

STANDING_SECONDS = 10.0
"""An error that has come again for so long, without a record in between, is no transient one."""

_FORGET_SECONDS = 30.0
"""An error that has not come again for so long is over, though no record has come since."""

_UNPACKING = frozenset(
    {
        KafkaError._BAD_COMPRESSION,  # noqa: SLF001 - how the library names its own codes
        KafkaError._NOT_IMPLEMENTED,  # noqa: SLF001
        KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
    }
)
_DAMAGED = frozenset({KafkaError._BAD_MSG, KafkaError.INVALID_MSG})  # noqa: SLF001


@dataclass(slots=True)
class _Run:
    """One error, repeated."""

    code: int
    offset: int | None
    text: str
    since: float
    last: float
    reported: bool = False


class StandingPartitions:
    """Remembers the errors that came in the place of records; used by the consumer's thread.

    Args:
        topic: The input topic.
        clock: Monotonic seconds.
    """

    def __init__(self, topic: str, clock: Clock) -> None:
        self._topic = topic
        self._clock = clock
        self._runs: dict[int, _Run] = {}

    def __bool__(self) -> bool:
        """Whether any error is remembered."""
        return bool(self._runs)

    def failed(self, partition: int, offset: int | None, error: KafkaError) -> None:
        """This error came instead of a record."""
        now, run = self._clock(), self._runs.get(partition)
        if run is None or (run.code, run.offset) != (error.code(), offset):
            run = self._runs[partition] = _Run(error.code(), offset, describe(error), now, now)
        run.last = now
        if not run.reported and now - run.since >= STANDING_SECONDS:
            run.reported = True
            log.error(
                "partition %d of %s stands still at %s: %s. %s",
                partition, self._topic, _where(offset), run.text, _cure(run.code),
            )  # fmt: skip

    def moved(self, partition: int) -> None:
        """A record came, or the partition was given away."""
        self._runs.pop(partition, None)

    def now(self) -> tuple[Standing, ...]:
        """The partitions that stand still, with the cause and the cure."""
        now = self._clock()
        for partition, run in list(self._runs.items()):
            if now - run.last > _FORGET_SECONDS:
                del self._runs[partition]
        return tuple(
            Standing(partition, f"at {_where(run.offset)}: {run.text}. {_cure(run.code)}", now - run.since)
            for partition, run in self._runs.items()
            if now - run.since >= STANDING_SECONDS
        )


def _where(offset: int | None) -> str:
    return "its position" if offset is None or offset < 0 else f"offset {offset}"


def _cure(code: int) -> str:
    if code in _UNPACKING:
        return (
            "Its next batch can't be unpacked: raise receive.message.max.bytes in kafka.properties above what it "
            "unpacks to, or have its producer use another compression"
        )
    if code in _DAMAGED:
        return (
            "Its next batch is damaged on the broker: check the broker's disks, and pass over the batch with "
            "kafka-consumer-groups --reset-offsets if it can't be restored"
        )
    return "Check the broker that leads it; kafka-consumer-groups --reset-offsets passes over the record"
