"""Stuck partitions: the same error, again and again, where the next record should be.

A batch that can't be decompressed, or that is damaged on the broker's disk, is fetched again forever. The other
partitions continue, the lag of this one does not even grow if nothing new is written, and nothing else shows it.
"""

import logging
from dataclasses import dataclass

from confluent_kafka import KafkaError

from worker.facts import Standing
from worker.kafka.client.error_codes import describe
from worker.protocols import Clock
from worker.types import Partition

log = logging.getLogger(__name__)

STANDING_SECONDS = 10.0
"""An error that has been repeating for this long, without a record in between, is not transient."""

_FORGET_SECONDS = 30.0
"""An error that has not recurred for this long is considered over, even if no record has arrived since."""

_DECOMPRESSION = frozenset(
    {
        KafkaError._BAD_COMPRESSION,  # noqa: SLF001 - how the library names its own codes
        KafkaError._NOT_IMPLEMENTED,  # noqa: SLF001 - the names of librdkafka's own errors
        KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
    }
)
_DAMAGED = frozenset({KafkaError._BAD_MSG, KafkaError.INVALID_MSG})  # noqa: SLF001 - the names of librdkafka's own errors


@dataclass(slots=True)
class _Run:
    """A run of one repeated error."""

    code: int
    offset: int | None
    text: str
    since: float
    last: float
    reported: bool = False


class StandingPartitions:
    """Remembers errors that came instead of records. Used only from the consumer's thread.

    Args:
        clock: Returns monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[Partition, _Run] = {}

    def __bool__(self) -> bool:
        """Whether any error is remembered."""
        return bool(self._runs)

    def failed(self, partition: Partition, offset: int | None, error: KafkaError) -> None:
        """Record an error that came instead of a record."""
        now, run = self._clock(), self._runs.get(partition)
        if run is None or (run.code, run.offset) != (error.code(), offset):
            run = self._runs[partition] = _Run(error.code(), offset, describe(error), now, now)
        run.last = now
        if not run.reported and now - run.since >= STANDING_SECONDS:
            run.reported = True
            log.error(
                "partition %d of %s is stuck at %s: %s. %s",
                partition[1], partition[0], _where(offset), run.text, _cure(run.code),
            )  # fmt: skip

    def moved(self, partition: Partition) -> None:
        """Forget the partition's error: a record came, or the partition was given up."""
        self._runs.pop(partition, None)

    def now(self) -> tuple[Standing, ...]:
        """Return the stuck partitions, each with the cause and what to do."""
        now = self._clock()
        for partition, run in list(self._runs.items()):
            if now - run.last > _FORGET_SECONDS:
                del self._runs[partition]
        return tuple(
            Standing(
                partition[1], f"at {_where(run.offset)}: {run.text}. {_cure(run.code)}", now - run.since, partition[0]
            )
            for partition, run in self._runs.items()
            if now - run.since >= STANDING_SECONDS
        )


def _where(offset: int | None) -> str:
    return "its position" if offset is None or offset < 0 else f"offset {offset}"


def _cure(code: int) -> str:
    if code in _DECOMPRESSION:
        return (
            "Its next batch can't be decompressed: raise receive.message.max.bytes in kafka.properties above its "
            "decompressed size, or have its producer use another compression"
        )
    if code in _DAMAGED:
        return (
            "Its next batch is damaged on the broker: check the broker's disks, and skip the batch with "
            "kafka-consumer-groups --reset-offsets if it can't be restored"
        )
    return "Check the broker that leads it; kafka-consumer-groups --reset-offsets skips the record"
