"""The loop, without a broker and without torch: what is published, what is committed, and when."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message

from testkit.clock import FakeClock
from testkit.in_memory import InMemoryPublisher, InMemorySource, SilentObserver, identities
from testkit.keyword_classifier import LABELS, POISON, UNSCORABLE, UNTOKENIZABLE, KeywordClassifier, Words
from testkit.records import record
from testkit.scripted_consumer import OneLog, ScriptedConsumer
from worker.errors import BreakerOpen, DrainDeadlinePassed, Fatal, FlagRateOff, Retryable
from worker.events.decoding import Decoder
from worker.facts import GroupFacts
from worker.kafka.consumer.source import KafkaSource
from worker.settings import (
    BatchSettings,
    DeadLetterSettings,
    DeliverySettings,
    FlagRateSettings,
    InputSettings,
    Settings,
)
from worker.stream.batching import BatchLimits
from worker.stream.circuit_breaker import Breaker
from worker.stream.flag_rate import FlagRates
from worker.stream.flow_control import FlowControl
from worker.stream.loop import Worker
from worker.stream.model_change import ModelChange
from worker.stream.model_in_use import ModelInUse
from worker.stream.model_threads import ModelThreads
from worker.types import Classification, Labelled, Rejected, Skipped, Stage, Unscorable


def comment(number: int, text: str = "good morning") -> bytes:
    return b'{"id":"c-%d","text":"%b"}' % (number, text.encode())


class Gate(KeywordClassifier):
    """A model that waits inside `score` until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        self.entered.set()
        assert self.open.wait(60)
        return super().score(encoded)


NEVER = ModelChange(threading.Event(), KeywordClassifier, ModelInUse(KeywordClassifier()), lambda _: None)


def make_worker(
    source: Any,
    publisher: InMemoryPublisher,
    classifier: Any = None,
    *,
    batch_records: int = 4,
    clock: Callable[[], float] = time.monotonic,
    dead_letters: DeadLetterSettings | None = None,
    decoder: Any = None,
    observer: Any = None,
    flag_rate: FlagRateSettings | None = None,
    change: ModelChange | None = None,
    **delivery: Any,
) -> Worker[Words]:
    settings = DeliverySettings(**delivery)
    return Worker(
        source=source,
        publisher=publisher,
        model_threads=ModelThreads(
            classifier or KeywordClassifier(), BatchLimits(batch_records, 10_000), clock, SilentObserver()
        ),
        model_change=change
        or ModelChange(threading.Event(), KeywordClassifier, ModelInUse(KeywordClassifier()), lambda _: None),
        decoder=decoder or Decoder(InputSettings()),
        breaker=Breaker(dead_letters or DeadLetterSettings()),
        flag_rates=FlagRates(flag_rate or FlagRateSettings(), LABELS),
        flow=FlowControl(settings, BatchSettings(max_records=batch_records)),
        settings=settings,
        clock=clock,
        observer=observer or SilentObserver(),
    )


def until(what: Any, condition: Callable[[], bool]) -> Callable[[], bool]:
    """Stop when the condition holds; give up after a generous while, so that a hang is a failure."""
    end = time.monotonic() + 60

    def stop() -> bool:
        assert time.monotonic() < end, f"no progress: {vars(what)}"
        return condition()

    return stop


class AwayAtFirst(Decoder):
    """Can't decode yet when it is asked the first few times, as while a schema registry does not answer."""

    refusals = 3

    def decode(self, record: Any, assignment: Any) -> Any:
        if self.refusals:
            self.refusals -= 1
            message = "not yet"
            raise Retryable(message)
        return super().decode(record, assignment)


class CountsConsumed(SilentObserver):
    def __init__(self) -> None:
        self.records = 0

    def consumed(self, polled: Any) -> None:
        self.records += len(polled)


def test_records_that_cannot_be_decoded_yet_are_counted_once_and_lose_nothing() -> None:
    source = InMemorySource({0: [comment(n) for n in range(20)]})
    publisher, observer = InMemoryPublisher(source), CountsConsumed()
    worker = make_worker(source, publisher, decoder=AwayAtFirst(InputSettings()), observer=observer)
    worker.run(until(source, lambda: source.committed == {0: 20}))
    assert identities(publisher.published) == [(0, offset) for offset in range(20)]
    assert observer.records == 20


def test_every_record_has_one_outcome_in_order_and_the_offsets_follow() -> None:
    values: dict[int, list[bytes | None]] = {
        0: [comment(n) for n in range(10)],
        1: [None, b"not json", comment(2, POISON), comment(3, "you jerk")],
    }
    source = InMemorySource(values)
    publisher = InMemoryPublisher(source)
    make_worker(source, publisher).run(until(source, lambda: source.committed == {0: 10, 1: 4}))
    assert sorted(identities(publisher.published)) == [(p, o) for p in values for o in range(len(values[p]))]
    for partition in values:
        offsets = [offset for p, offset in identities(publisher.published) if p == partition]
        assert offsets == sorted(offsets)
    kinds = [type(outcome) for outcome in publisher.published if outcome.record.partition() == 1]
    assert kinds == [Skipped, Rejected, Rejected, Labelled]
    assert publisher.closed
    assert source.closed


def test_a_poisoned_batch_loses_only_its_poison() -> None:
    source = InMemorySource({0: [comment(0), comment(1, POISON), comment(2, UNSCORABLE), comment(3, "stupid jerk")]})
    publisher = InMemoryPublisher(source)
    make_worker(source, publisher).run(until(source, lambda: source.committed == {0: 4}))
    by_offset: dict[int | None, Any] = {outcome.record.offset(): outcome for outcome in publisher.published}
    assert by_offset[1].error == "Poison"
    assert by_offset[2].error == "NonFiniteScore"
    assert by_offset[3].classification.labels == ("toxic", "insult")


def test_a_text_that_the_tokenizer_fails_on_loses_no_other() -> None:
    source = InMemorySource({0: [comment(0), comment(1, UNTOKENIZABLE), comment(2), comment(3, "stupid jerk")]})
    publisher = InMemoryPublisher(source)
    make_worker(source, publisher).run(until(source, lambda: source.committed == {0: 4}))
    assert [type(outcome) for outcome in publisher.published] == [Labelled, Rejected, Labelled, Labelled]
    rejected: Any = publisher.published[1]
    assert (rejected.stage, rejected.error) == (Stage.TOKENIZE, "ValueError")


def test_nothing_is_committed_before_its_outcomes_are_acknowledged() -> None:
    source = InMemorySource({0: [comment(n) for n in range(8)]})
    publisher = InMemoryPublisher(source, delay=10**9)
    worker = make_worker(source, publisher, drain_seconds=0.05)
    with pytest.raises(DrainDeadlinePassed, match="8 records in flight"):
        worker.run(until(source, lambda: len(publisher.published) == 8))
    assert source.committed == {}
    assert source.closed


def test_stopping_finishes_what_is_in_flight() -> None:
    source = InMemorySource({0: [comment(n) for n in range(4)]})
    publisher = InMemoryPublisher(source)
    model = Gate()

    def stop() -> bool:
        if model.entered.is_set():
            model.open.set()
            return True
        return False

    make_worker(source, publisher, model).run(stop)
    assert source.committed == {0: 4}


def test_revoke_finishes_publishes_and_commits_what_is_in_flight() -> None:
    source = InMemorySource({0: [comment(n) for n in range(2)], 1: [comment(n) for n in range(2)]})
    publisher = InMemoryPublisher(source, delay=3)
    committed_at_revoke: dict[int, int] = {}

    def revoke() -> None:
        source.revoke(1)
        committed_at_revoke.update(source.committed)

    source.events.append(revoke)
    make_worker(source, publisher).run(until(source, lambda: bool(committed_at_revoke)))
    assert committed_at_revoke[1] == source.committed[1] == 2


def test_revoke_finishes_also_what_the_model_has_not_begun_with() -> None:
    """A log that was cut or created again has no next owner who would read it again: dropping it would lose it."""
    source = InMemorySource({1: [comment(n) for n in range(5)], 0: [comment(0)]})
    publisher = InMemoryPublisher(source, delay=3)
    model = Gate()
    at_revoke: dict[int, int] = {}

    def revoke() -> None:
        if not model.entered.is_set() or source.positions != {1: 5, 0: 1}:
            source.events.append(revoke)  # not yet
            return
        threading.Timer(0.05, model.open.set).start()  # while the revocation waits
        source.revoke(1)
        at_revoke.update(source.committed)

    source.events.append(revoke)
    make_worker(source, publisher, model).run(until(source, lambda: bool(at_revoke)))
    assert at_revoke == {1: 5, 0: 1}
    assert identities(publisher.published) == [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (0, 0)]


def test_revoke_past_its_deadline_drops_the_work_and_commits_nothing_of_it() -> None:
    source = InMemorySource({0: [comment(n) for n in range(4)]})
    publisher = InMemoryPublisher(source)
    model = Gate()

    def revoke() -> None:
        source.revoke(0)
        model.open.set()

    source.events.append(revoke)
    finished: list[bool] = []
    worker = make_worker(source, publisher, model, revoke_seconds=0.05)

    def stop() -> bool:
        finished.append(model.open.is_set())
        return len(finished) > 50 and finished[-1]

    worker.run(stop)
    assert source.committed == {}
    assert publisher.published == []


def test_lost_partitions_commit_nothing_and_the_others_continue() -> None:
    source = InMemorySource({0: [comment(n) for n in range(4)], 1: [comment(n) for n in range(4)]})
    publisher = InMemoryPublisher(source)
    model = Gate()

    def lose() -> None:
        source.lose(1)
        model.open.set()

    source.events.append(lose)
    make_worker(source, publisher, model).run(until(source, lambda: source.committed.get(0) == 4))
    assert source.committed == {0: 4}
    assert all(outcome.assignment.partition == 0 for outcome in publisher.published)


def test_a_partition_that_comes_back_is_read_from_its_committed_offset() -> None:
    source = InMemorySource({0: [comment(n) for n in range(6)]})
    publisher = InMemoryPublisher(source)
    source.events += [lambda: source.lose(0), lambda: source.assign(0)]
    make_worker(source, publisher).run(until(source, lambda: source.committed == {0: 6}))
    assert {offset for _, offset in identities(publisher.published)} == set(range(6))


@pytest.mark.parametrize("answer", [None, KafkaError(KafkaError.UNKNOWN_MEMBER_ID)], ids=["taken", "refused"])
@pytest.mark.parametrize("comes_back", ["before the answer", "after the answer"])
def test_a_commit_answered_after_its_partition_was_lost_counts_for_nothing(
    answer: KafkaError | None, comes_back: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[int, int]] = []

    def commits(facts: GroupFacts) -> tuple[int, int]:
        return facts.commits_succeeded, facts.commits_failed

    def script(consumer: ScriptedConsumer) -> Iterator[Message | None]:
        consumer.assign(0)
        yield record(comment(0), partition=0, offset=0)
        while not consumer.sent:
            yield None
        consumer.lose(0)
        yield None
        if comes_back == "before the answer":
            consumer.assign(0)
        consumer.answer(answer)
        counted.append(commits(source.facts()))
        if comes_back == "after the answer":
            consumer.assign(0)
        yield record(comment(0), partition=0, offset=0)  # its next owner, which it is itself, reads it again
        while len(consumer.sent) < 2:
            yield None
        consumer.answer(None)
        counted.append(commits(source.facts()))
        while True:
            yield None

    consumer = ScriptedConsumer(script, "comments")
    monkeypatch.setattr(
        "worker.kafka.consumer.source.make_client", lambda *_, **callbacks: consumer.made_with(**callbacks)
    )
    queries: Any = OneLog()
    source = KafkaSource(
        Settings(), clock=time.monotonic, sleep=lambda _: None, uniform=lambda low, _: low, queries=queries
    )
    publisher = InMemoryPublisher(source)
    make_worker(source, publisher).run(until(publisher, lambda: len(counted) == 2))
    assert consumer.sent == [{0: 1}, {0: 1}], "what the lost assignment committed is not known to the new one"
    assert counted == [(0, 0), (1, 0)]


def test_the_breaker_stops_the_worker_before_the_offset_moves() -> None:
    source = InMemorySource({0: [b"not json"] * 20})
    publisher = InMemoryPublisher(source)
    worker = make_worker(source, publisher, dead_letters=DeadLetterSettings(max_run=10))
    with pytest.raises(BreakerOpen):
        worker.run(until(source, lambda: False))
    assert source.committed.get(0, 0) < 10
    assert source.closed


def test_a_worker_that_is_to_stop_on_a_flag_rate_publishes_and_commits_nothing_of_that_batch() -> None:
    source = InMemorySource({0: [comment(n, "good" if n < 300 else "stupid") for n in range(600)]})
    publisher = InMemoryPublisher(source)
    settings = FlagRateSettings(window_records=100, past_records=1000, stop=True)
    worker = make_worker(source, publisher, batch_records=100, flag_rate=settings)
    with pytest.raises(FlagRateOff, match="labelled toxic"):
        worker.run(until(source, lambda: False))
    flagged = sum(isinstance(one, Labelled) and one.classification.flagged for one in publisher.published)
    assert flagged < 100
    assert source.committed.get(0, 0) <= len(publisher.published) < 400
    assert source.closed


def test_a_broken_model_stops_the_worker_and_commits_nothing() -> None:
    class Broken(KeywordClassifier):
        def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
            del encoded
            message = "the device is gone"
            raise Fatal(message)

    source = InMemorySource({0: [comment(0)]})
    publisher = InMemoryPublisher(source)
    with pytest.raises(Fatal, match="device"):
        make_worker(source, publisher, Broken()).run(until(source, lambda: False))
    assert (source.committed, publisher.published, source.closed) == ({}, [], True)


def test_a_slow_model_pauses_partitions_only_after_seconds_and_memory_stays_bounded() -> None:
    source = InMemorySource({0: [comment(n) for n in range(500)]})
    publisher = InMemoryPublisher(source)
    model = Gate()
    clock = FakeClock()
    worker = make_worker(
        source,
        publisher,
        model,
        clock=clock,
        max_in_flight_records=16,
        pause_after_seconds=5,
        drain_seconds=60,
    )
    turns: list[int] = []

    def stop() -> bool:
        turns.append(source.pauses)
        clock.now += 0.25 if model.entered.is_set() else 0.0
        if source.pauses:
            model.open.set()
        return source.committed == {0: 500}

    worker.run(until(source, stop))
    assert source.pauses == 1
    assert not source.paused
    assert len(publisher.published) == 500
