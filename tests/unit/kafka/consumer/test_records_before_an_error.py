"""Records that were fetched before a partition lost its place are processed, or counted as skipped."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from testkit.clock import FakeClock
from testkit.records import record
from testkit.scripted_consumer import OneLog, ScriptedConsumer
from worker.kafka.client.log_queries import LogEnds
from worker.kafka.consumer.source import KafkaSource
from worker.settings import Settings
from worker.types import Assignment


class Listener:
    def on_assigned(self, assignments: list[Assignment]) -> None:
        del assignments

    on_revoked = on_lost = on_assigned


def overtaken(offset: int) -> Any:
    """What librdkafka returns when retention has removed the offset that it was to fetch."""
    error = KafkaError(KafkaError._AUTO_OFFSET_RESET, "fetch failed due to requested offset not available")
    return SimpleNamespace(
        error=lambda: error, topic=lambda: "comments", partition=lambda: 0, offset=lambda: offset, value=lambda: b""
    )


def source_of(
    monkeypatch: pytest.MonkeyPatch, consumer: ScriptedConsumer, queries: Any, clock: FakeClock
) -> KafkaSource:
    """A source that has joined with this consumer, in a group whose rebalances nobody needs to hear of."""
    monkeypatch.setattr("worker.kafka.consumer.source.make_client", lambda *_, **given: consumer.made_with(**given))
    source = KafkaSource(Settings(), clock=clock, sleep=lambda _: None, uniform=lambda low, _: low, queries=queries)
    listener: Any = Listener()
    source.subscribe(listener)
    return source


@pytest.mark.parametrize("first", ["poll", "consume"])
def test_what_was_fetched_before_retention_overtook_is_returned(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    fetched: list[Any] = [record(b"v", partition=0, offset=offset) for offset in range(5)]
    other = record(b"v", partition=1, offset=7)

    def script(consumer: ScriptedConsumer) -> Iterator[Message | None]:
        consumer.assign(0, 1)
        consumer.fetched = [*fetched[first == "poll" :], overtaken(5), other]
        yield fetched[0] if first == "poll" else other
        consumer.fetched = [record(b"v", partition=0, offset=9)]  # of the lost place: it is read again from the new one
        yield other
        while True:
            yield None

    consumer = ScriptedConsumer(script, "comments")
    queries: Any = OneLog()
    queries.ends = queries.group_offsets = lambda _: SimpleNamespace(done=lambda: False)
    source = source_of(monkeypatch, consumer, queries, FakeClock())
    polled = source.poll(500, 0.0)
    assert [r.offset() for r, a in polled if a.partition == 0] == [0, 1, 2, 3, 4]
    assert [r.offset() for r, a in polled if a.partition == 1] in ([7], [7, 7])
    assert [r.offset() for r, a in source.poll(500, 0.0) if a.partition == 0] == []


def test_what_librdkafka_dropped_before_retention_overtook_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It drops what it has fetched at a rebalance or a pause, and goes on to report an error behind it."""

    def script(consumer: ScriptedConsumer) -> Iterator[Message | None]:
        consumer.assign(0)
        consumer.fetched = [record(b"v", partition=0, offset=1), record(b"v", partition=0, offset=2)]
        yield record(b"v", partition=0, offset=0)
        yield overtaken(8)
        while True:
            yield None

    log, clock = LogEnds(10, 20), FakeClock()
    consumer = ScriptedConsumer(script, "comments")
    queries: Any = OneLog()
    queries.ends = lambda _: answered({("comments", 0): log})
    queries.group_offsets = lambda _: answered([])
    source = source_of(monkeypatch, consumer, queries, clock)
    for _ in range(10):
        source.poll(500, 0.0)
        clock.advance(1)
    assert source.facts().records_skipped == {"retention": 10 - 3}
    assert source.facts().positions_moved["below_start"] == 1


def answered(result: Any) -> Any:
    return SimpleNamespace(done=lambda: True, result=lambda *_: result)
