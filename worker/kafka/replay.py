"""Reading dead letters, and sending them back to the topic they came from.

A replayed record keeps its key, value and own headers, loses what describes its failure, and counts its hops
(`dlq.replay_count`), so that a record no model will ever take does not go round for ever. Each run reads what is in the
topic when it starts and keeps no offsets: the same letter may be shown, or replayed, again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from schemas.dead_letter import CONNECT_PREFIX
from worker.errors import Fatal, NoBroker
from worker.kafka.dead_letters import ORIGIN_HEADER, REPLAY_COUNT_HEADER, strip_failure
from worker.kafka.faults import describe, error_of
from worker.kafka.properties import client_properties, make_client, producer_properties
from worker.outcome import Record
from worker.protocols import Clock
from worker.settings import Settings

_READ_AT_ONCE = 500
_WAIT_SECONDS = 0.2
_FAILED_AT = "dlq.failed_at"


class DeadLetter(NamedTuple):
    """One dead letter, with what its headers say; a header that is absent gives an empty text.

    Attributes:
        record: The dead letter's own record: key, value, headers.
        topic: Topic the record was read from when it failed.
        origin: `topic/partition/offset` of its first failure.
        failed_at: RFC 3339.
        replays: How often it was replayed.
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
    """Which dead letters; those that meet every condition given.

    Attributes:
        errors: Kinds of fault ("InvalidJson"); empty: any.
        stages: Stages ("DECODE"); empty: any.
        since: RFC 3339 in UTC, as `dlq.failed_at` is written: failed then or later.
        until: Likewise: failed before.
    """

    errors: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    since: str = ""
    until: str = ""

    def takes(self, letter: DeadLetter) -> bool:
        """Whether this letter is meant."""
        return (
            (not self.errors or letter.error in self.errors)
            and (not self.stages or letter.stage in self.stages)
            and self.since <= letter.failed_at
            and (not self.until or letter.failed_at < self.until)
        )


@dataclass(slots=True)
class Replayed:
    """What a replay did, or with a dry run would have done."""

    replayed: int = 0
    over_limit: int = 0
    without_topic: int = 0


def dead_letter(record: Record) -> DeadLetter:
    """What the headers of a dead letter say; of repeated ones the last."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers() or ()}
    replays = headers.get(REPLAY_COUNT_HEADER, "0")
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
        replays=int(replays) if replays.isascii() and replays.isdigit() else 0,
    )


def read_dead_letters(settings: Settings, chosen: Filter, *, clock: Clock) -> Iterator[DeadLetter]:
    """The dead letters that are in the topic now, partition by partition in order of failure.

    Raises:
        NoBroker: None answered for `kafka.no_broker_seconds`.
        Fatal: The topic does not exist or can't be read.
    """
    limit_seconds = settings.kafka.no_broker_seconds
    properties = client_properties(settings) | {
        "group.id": settings.kafka.group_id,  # required of any consumer; no group is joined and nothing is committed
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
    }
    consumer: Consumer = make_client(Consumer, properties)
    topic = settings.dead_letters.topic
    try:
        ends = _ends(consumer, topic, limit_seconds)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in ends])
        silent_since = clock()
        while ends:
            messages = consumer.consume(_READ_AT_ONCE, _WAIT_SECONDS)
            if messages:
                silent_since = clock()
            elif clock() - silent_since > limit_seconds:
                message = f"{topic} can't be read: no broker answered for {limit_seconds:g} s"
                raise NoBroker(message)
            for found in messages:
                yield from _serve(found, ends, topic, chosen)
    finally:
        consumer.close()


def _serve(found: Any, ends: dict[int, int], topic: str, chosen: Filter) -> Iterator[DeadLetter]:
    """The letter of a message, if it is meant; a partition read to where it ended at the start leaves `ends`."""
    error, partition = found.error(), found.partition()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - how the library names its codes
        message = f"{topic} can't be read: {describe(error)}"
        raise Fatal(message)
    end = ends.get(partition)
    if end is None:
        return  # written since: a replay that reads its own returns would not end
    if error is None and found.offset() < end:
        letter = dead_letter(found)
        if chosen.takes(letter):
            yield letter
    if error is not None or found.offset() + 1 >= end:
        del ends[partition]


def replay_dead_letters(
    settings: Settings,
    chosen: Filter,
    *,
    clock: Clock,
    dry_run: bool = False,
    topic: str | None = None,
    progress: Callable[[DeadLetter], None] = lambda _: None,
) -> Replayed:
    """Send dead letters back, and return once each is acknowledged.

    Args:
        settings: The worker's settings; `dead_letters.max_replays` is the hop limit.
        chosen: Which ones.
        clock: Monotonic seconds.
        dry_run: Only count.
        topic: Where to; None: the topic each was read from.
        progress: Told of each letter that is, or would be, sent.

    Raises:
        NoBroker: None answered in time.
        Fatal: A record could not be delivered. Those before it may have been; their readers see a repeat after another
            replay.
    """
    done = Replayed()
    failures: list[KafkaError] = []
    producer: Producer | None = None if dry_run else make_client(Producer, producer_properties(settings))
    report = partial(_note_failure, failures)
    for letter in read_dead_letters(settings, chosen, clock=clock):
        target = topic or letter.topic
        if letter.replays >= settings.dead_letters.max_replays:
            done.over_limit += 1
        elif not target:
            done.without_topic += 1
        else:
            if producer is not None:
                _send_back(producer, letter, target, report)
                _raise_first(failures)
            done.replayed += 1
            progress(letter)
    if producer is not None:
        producer.flush()  # bounded by delivery.timeout_seconds, after which each record is reported
        _raise_first(failures)
    return done


def _send_back(producer: Producer, letter: DeadLetter, topic: str, report: Any) -> None:
    record = letter.record
    headers = [h for h in strip_failure(record.headers() or ()) if h[0] != REPLAY_COUNT_HEADER]
    headers.append((REPLAY_COUNT_HEADER, b"%d" % (letter.replays + 1)))
    kind, milliseconds = record.timestamp()
    timestamp = 0 if kind == TIMESTAMP_NOT_AVAILABLE else max(0, milliseconds)
    sent: Any = headers  # the stub's list is invariant
    while True:
        try:
            producer.produce(topic, record.value(), record.key(), -1, report, None, timestamp, sent)
        except BufferError:
            producer.poll(_WAIT_SECONDS)
        except KafkaException as fault:
            raise _undelivered(error_of(fault)) from None
        else:
            producer.poll(0)
            return


def _note_failure(failures: list[KafkaError], error: KafkaError | None, _: Message) -> None:
    if error is not None:
        failures.append(error)


def _raise_first(failures: list[KafkaError]) -> None:
    if failures:
        raise _undelivered(failures[0])


def _undelivered(error: KafkaError) -> Fatal:
    return Fatal(
        f"a dead letter could not be sent back ({describe(error)}). All are still in the dead letter topic; those before "
        "it may have been sent and would be sent twice"
    )


def _ends(consumer: Consumer, topic: str, limit_seconds: float) -> dict[int, int]:
    """Offset at which each partition that holds anything ends now."""
    try:
        described = consumer.list_topics(timeout=limit_seconds).topics.get(topic)
        if described is None:
            message = f"topic {topic} does not exist; `sluice topics` creates it"
            raise Fatal(message)
        ends = {}
        for partition in sorted(described.partitions):
            start, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=limit_seconds)
            if start < end:
                ends[partition] = end
    except KafkaException as fault:
        message = f"no broker answered within {limit_seconds:g} s: {describe(error_of(fault))}"
        raise NoBroker(message) from None
    return ends
