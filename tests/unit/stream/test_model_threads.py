"""The model's threads, seen from the poll thread."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from types import FrameType

import pytest

from testkit.in_memory import SilentObserver
from testkit.keyword_classifier import KeywordClassifier, Words
from testkit.records import record
from worker.errors import Fatal
from worker.stream.batching import BatchLimits
from worker.stream.model_in_use import ModelInUse
from worker.stream.model_threads import ModelThreads
from worker.types import Assignment, Batch, Classification, Comment, Unscorable

WAIT_SECONDS = 0.3
HANDLER_SECONDS = 0.6
RESCUE_SECONDS = 30.0
ONE_MORE_SECONDS = 0.05


def test_the_model_runs_on_a_thread_that_the_end_of_the_process_looks_for() -> None:
    before = threading.enumerate()
    scorer = ModelThreads(KeywordClassifier(), BatchLimits(10, 1000, 0), time.monotonic, SilentObserver())
    scorer.start()
    begun = [thread for thread in threading.enumerate() if thread not in before]
    assert "inference-0" in {thread.name for thread in begun}
    assert all(thread.daemon for thread in begun)
    scorer.stop()
    assert not [thread for thread in threading.enumerate() if thread not in before]


def test_a_signal_whose_handler_outlasts_the_wait_for_a_batch_does_not_make_it_endless() -> None:
    scorer = ModelThreads(KeywordClassifier(), BatchLimits(10, 1000, 0), time.monotonic, SilentObserver())

    def outlast(_number: int, _frame: FrameType | None) -> None:
        time.sleep(HANDLER_SECONDS)

    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGUSR1, outlast)
    interrupt = threading.Timer(WAIT_SECONDS / 3, signal.pthread_kill, (main, signal.SIGUSR1))
    rescue = threading.Timer(RESCUE_SECONDS, scorer._finished.put, (AssertionError("the wait did not end"),))
    rescue.daemon = True
    try:
        interrupt.start()
        rescue.start()
        assert scorer.finished(WAIT_SECONDS) == []
    finally:
        rescue.cancel()
        interrupt.join()
        signal.signal(signal.SIGUSR1, before)


class TwoLanes(KeywordClassifier):
    """Scores two batches at once; one with `slow` in it waits until it is let go."""

    lanes = 2

    def __init__(self) -> None:
        self.slow_entered = threading.Event()
        self.open = threading.Event()

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        if any("slow" in text.words for text in encoded):
            self.slow_entered.set()
            assert self.open.wait(RESCUE_SECONDS)
        return super().score(encoded)


@pytest.fixture
def classifier() -> TwoLanes:
    return TwoLanes()


@pytest.fixture
def lanes(classifier: TwoLanes) -> Iterator[ModelThreads[Words]]:
    threads = ModelThreads(classifier, BatchLimits(4, 1000), time.monotonic, SilentObserver())
    threads.start()
    yield threads
    classifier.open.set()
    threads.stop()


def comment(partition: Assignment, offset: int, text: str) -> Comment:
    return Comment(record(text.encode(), partition=partition.partition, offset=offset), partition, f"c-{offset}", text)


def all_finished(scorer: ModelThreads[Words]) -> list[Batch]:
    batches: list[Batch] = []
    while scorer.in_flight:
        some = scorer.finished(RESCUE_SECONDS)
        assert some
        batches += some
    return batches


class Together(KeywordClassifier):
    """Scores a batch when as many are in the model as it has lanes, and waits a little for one more."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.too_many = threading.Event()
        self._all = threading.Barrier(lanes, timeout=RESCUE_SECONDS)
        self._room = threading.Semaphore(lanes)

    def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
        if not self._room.acquire(blocking=False):
            self.too_many.set()
            return super().score(encoded)
        self._all.wait()
        self.too_many.wait(ONE_MORE_SECONDS)
        self._room.release()
        return super().score(encoded)


@pytest.mark.parametrize("lanes", [(1, 4), (4, 1)], ids=["more", "fewer"])
def test_another_model_is_given_as_many_batches_at_once_as_it_has_lanes(lanes: tuple[int, int]) -> None:
    model = ModelInUse(Together(lanes[0]))
    scorer: ModelThreads[Words] = ModelThreads(model, BatchLimits(1, 1000), time.monotonic, SilentObserver())
    scorer.start()
    try:
        successor = Together(lanes[1])
        model.change_to(successor)
        scorer.submit([comment(Assignment("comments", number, 1), 1, "short") for number in range(8)])
        assert len(all_finished(scorer)) == 8
        assert not successor.too_many.is_set()
    finally:
        scorer.stop()


def test_a_short_comment_of_another_partition_does_not_wait_for_a_long_one(
    classifier: TwoLanes, lanes: ModelThreads[Words]
) -> None:
    one, other = Assignment("comments", 0, 1), Assignment("comments", 1, 1)
    lanes.submit([comment(one, 7, "slow")])
    assert classifier.slow_entered.wait(RESCUE_SECONDS)
    lanes.submit([comment(other, 3, "short")])
    (first,) = lanes.finished(RESCUE_SECONDS)
    assert first.offsets == {other: 4}
    assert lanes.in_flight == 1
    classifier.open.set()
    (second,) = lanes.finished(RESCUE_SECONDS)
    assert second.offsets == {one: 8}
    assert lanes.in_flight == 0


def test_a_partition_keeps_its_order_although_a_later_record_is_scored_first(
    classifier: TwoLanes, lanes: ModelThreads[Words]
) -> None:
    partition = Assignment("comments", 0, 1)
    lanes.submit([comment(partition, 7, "slow")])
    assert classifier.slow_entered.wait(RESCUE_SECONDS)
    lanes.submit([comment(partition, 8, "short")])
    assert lanes.finished(WAIT_SECONDS) == []
    classifier.open.set()
    assert [batch.offsets for batch in all_finished(lanes)] == [{partition: 8}, {partition: 9}]


def test_what_a_partition_given_away_left_behind_is_dropped_and_counted(
    classifier: TwoLanes, lanes: ModelThreads[Words]
) -> None:
    partition = Assignment("comments", 0, 1)
    lanes.submit([comment(partition, 7, "slow")])
    assert classifier.slow_entered.wait(RESCUE_SECONDS)
    partition.owned = False
    lanes.submit([comment(partition, 8, "short")])
    classifier.open.set()
    assert [(batch.records, list(batch.owned_outcomes())) for batch in all_finished(lanes)] == [(1, []), (1, [])]


def test_an_error_in_one_lane_ends_the_worker(lanes: ModelThreads[Words], classifier: TwoLanes) -> None:
    partition = Assignment("comments", 0, 1)
    lanes.submit([comment(partition, 7, "slow")])
    assert classifier.slow_entered.wait(RESCUE_SECONDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeywordClassifier, "score", lambda *_: (_ for _ in ()).throw(Fatal("the device failed")))
        lanes.submit([comment(partition, 8, "short")])
        with pytest.raises(Fatal):
            lanes.finished(RESCUE_SECONDS)
