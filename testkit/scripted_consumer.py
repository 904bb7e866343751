"""Stands in for `confluent_kafka.Consumer`: a script defines what each poll returns, with rebalances and answers."""

import struct
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition


class ScriptedConsumer:
    """Each `poll` runs the script up to its next `yield` and returns the yielded value.

    Attributes:
        sent: Offsets of each commit, by partition.
        fetched: What has been fetched behind the message that `poll` returns.
    """

    def __init__(self, script: Callable[["ScriptedConsumer"], Iterator[Message | None]], topic: str) -> None:
        self.sent: list[dict[int, int]] = []
        self.fetched: list[Any] = []
        self._script = script(self)
        self._topic = topic
        self._serve: dict[str, Callable[..., None]] = {}

    def made_with(self, on_commit: Callable[..., None], **_: Any) -> "ScriptedConsumer":
        """Keep the commit callback."""
        self._serve["commit"] = on_commit
        return self

    def subscribe(self, _: list[str], **callbacks: Callable[..., None]) -> None:
        self._serve |= callbacks

    def assign(self, *numbers: int) -> None:
        self._serve["on_assign"](self, self._partitions(numbers))

    def lose(self, *numbers: int) -> None:
        self._serve["on_lost"](self, self._partitions(numbers))

    def answer(self, error: KafkaError | None) -> None:
        """Deliver the broker's answer to the last commit."""
        offsets = [TopicPartition(self._topic, number, offset) for number, offset in self.sent[-1].items()]
        self._serve["commit"](error, offsets)

    def committed(self, _: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """No coordinator answers."""
        del timeout
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def poll(self, _: float) -> Message | None:
        return next(self._script)

    def consume(self, *_: Any) -> list[Any]:
        fetched, self.fetched = self.fetched, []
        return fetched

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        assert asynchronous
        self.sent.append({p.partition: p.offset for p in offsets})

    def incremental_assign(self, _: list[TopicPartition]) -> None:
        return

    def incremental_unassign(self, _: list[TopicPartition]) -> None:
        return

    def consumer_group_metadata(self) -> bytes:
        return b"CGMDv2:" + struct.pack("=i", 1)

    def close(self) -> None:
        return

    def _partitions(self, numbers: tuple[int, ...]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in numbers]


class OneLog:
    """Stands in for `LogQueries` where every topic's name refers to one log, and nothing else is answered."""

    def describe(self, topics: Iterable[str]) -> dict[str, Future[Any]]:
        future: Future[Any] = Future()
        future.set_result(SimpleNamespace(topic_id="bG9nLW9uZS1sb2ctb25lLQ", partitions=[0]))
        return dict.fromkeys(topics, future)
