"""Sending dead letters back to the topic they came from.

A replayed record keeps its key, value and own headers, loses what describes its failure, and counts its hops
(`dlq.replay_count`), so that a record no model will ever take does not go round for ever. Each run takes what is in the
topic when it starts: the same letter may be replayed again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException, Message, Producer

from worker.errors import Fatal
from worker.kafka.dead_letter_reader import DeadLetter, Filter, read_dead_letters
from worker.kafka.dead_letters import REPLAY_COUNT_HEADER, strip_failure
from worker.kafka.faults import describe, error_of
from worker.kafka.properties import make_client, producer_properties
from worker.protocols import Clock
from worker.settings import Settings

_FULL_QUEUE_POLL_SECONDS = 0.1


@dataclass(slots=True)
class Replayed:
    """What a replay did, or with a dry run would have done."""

    replayed: int = 0
    over_limit: int = 0
    without_topic: int = 0


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
            producer.poll(_FULL_QUEUE_POLL_SECONDS)
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
        f"a dead letter could not be sent back ({describe(error)}). All are still in the dead letter topic; "
        "those before it may have been sent and would be sent twice"
    )
