"""How far the dead letters have been replayed: the committed offsets of a separate consumer group.

The group has no members; its name is the worker's group with `-replay` appended. `kafka-consumer-groups` can therefore
show how many letters are waiting to be replayed, and move the position by hand. Brokers delete the offsets of a group
without members `offsets.retention.minutes` after the last commit (7 days by default), and the position with them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from worker.errors import Fatal, NoBroker, Retryable
from worker.kafka.client.error_codes import OWNERSHIP_LOST, REFUSED, describe, error_of, refused
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.retry import Backoff, Sleep, Uniform, retry
from worker.kafka.client.rights import right_to_read
from worker.protocols import Clock
from worker.settings import Settings

T = TypeVar("T")

_CALL_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


def replay_group(settings: Settings) -> str:
    """The name of the group whose offsets are the position."""
    return f"{settings.kafka.group_id}-replay"


class ReplayPosition:
    """Finds and moves the position in the dead letter topic.

    Args:
        settings: Names the group and the topic.
        clock: Monotonic seconds.
        sleep: Waits between attempts to reach the coordinator.
        uniform: Draws the length of those waits.

    Raises:
        SettingsInvalid: librdkafka rejects a property.
    """

    def __init__(self, settings: Settings, *, clock: Clock, sleep: Sleep, uniform: Uniform) -> None:
        self._group = replay_group(settings)
        self._topic = settings.dead_letters.topic
        self._limit_seconds = settings.kafka.no_broker_seconds
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._clock = clock
        self._sleep = sleep
        self._consumer: Consumer = make_client(
            Consumer,
            client_properties(settings) | {"group.id": self._group, "enable.auto.commit": False},
            error_cb=self._serve_client_error,
        )
        self._refusal: KafkaError | None = None

    def find(self, partitions: Sequence[int]) -> dict[int, int]:
        """The next offset to replay in each partition, without those in which nothing has been replayed.

        Raises:
            NoBroker: No coordinator answered for `kafka.no_broker_seconds`.
            Fatal: The broker refuses.
        """
        asked = [TopicPartition(self._topic, partition) for partition in partitions]
        found = self._answer("read", lambda: self._consumer.committed(asked, timeout=_CALL_SECONDS))
        return {p.partition: p.offset for p in found if p.offset >= 0}

    def move(self, offsets: Mapping[int, int]) -> None:
        """Commit the next offset to replay in these partitions, which may also be an earlier one.

        Raises:
            NoBroker: As for `find`.
            Fatal: The broker refuses, or the group has members.
        """
        moved = [TopicPartition(self._topic, partition, offset) for partition, offset in offsets.items()]
        self._answer("move", lambda: self._consumer.commit(offsets=moved, asynchronous=False))

    def close(self) -> None:
        """Disconnect from the broker."""
        self._consumer.close()

    def _answer(self, to_do: str, call: Callable[[], list[TopicPartition]]) -> list[TopicPartition]:
        def attempt() -> list[TopicPartition]:
            try:
                answered = call()
            except KafkaException as error:
                # While it looks for a coordinator, a call only times out; the reason is reported separately.
                polled = self._consumer.poll(0)
                refusal = self._refusal or (polled.error() if polled is not None else None)
                raise self._exception_for(refusal or error_of(error), to_do) from None
            failed = next((p.error for p in answered if p.error is not None), None)
            if failed is not None:
                raise self._exception_for(failed, to_do)
            return answered

        try:
            return retry(
                attempt, limit_seconds=self._limit_seconds, backoff=self._backoff, clock=self._clock, sleep=self._sleep
            )
        except Retryable as error:
            message = f"could not {to_do} the replay position of group {self._group}: no broker answered ({error})"
            raise NoBroker(message) from None

    def _serve_client_error(self, error: KafkaError) -> None:
        if error.code() in REFUSED:
            self._refusal = error

    def _exception_for(self, error: KafkaError, to_do: str) -> Exception:
        if error.code() in REFUSED:
            operation = f"to let this client {to_do} the replay position of group {self._group}"
            return refused(error, operation, right_to_read(error.code(), self._topic, self._group))
        if error.code() in OWNERSHIP_LOST:
            return Fatal(
                f"the replay position of group {self._group} can't be moved ({describe(error)}): a consumer has joined "
                "that group. Stop it; the group belongs to `sluice dead-letters replay`"
            )
        return Retryable(describe(error))
