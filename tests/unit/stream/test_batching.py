"""A batch is what has arrived, up to the limits; time is an argument."""

from hypothesis import given
from hypothesis import strategies as st

from worker.stream.batching import Batcher, BatchLimits


def test_what_has_arrived_goes_at_once() -> None:
    batcher: Batcher[str] = Batcher(BatchLimits(records=10, tokens=100))
    assert batcher.ready_in(now=0.0) is None
    batcher.add([("a", 1), ("b", 1)], now=0.0)
    assert batcher.ready_in(now=0.0) == 0.0
    assert batcher.take() == ["a", "b"]
    assert batcher.ready_in(now=0.0) is None


def test_linger_starts_at_the_first_record() -> None:
    batcher: Batcher[str] = Batcher(BatchLimits(records=10, tokens=100, linger_seconds=0.5))
    batcher.add([("a", 1)], now=7.0)
    batcher.add([("b", 1)], now=7.4)
    assert batcher.ready_in(now=7.25) == 0.25
    assert batcher.ready_in(now=7.5) == 0.0


def test_a_full_batch_does_not_linger() -> None:
    batcher: Batcher[str] = Batcher(BatchLimits(records=2, tokens=100, linger_seconds=60))
    batcher.add([("a", 1), ("b", 1)], now=0.0)
    assert batcher.is_full
    assert batcher.ready_in(now=0.0) == 0.0


def test_one_item_beyond_the_tokens_goes_alone() -> None:
    batcher: Batcher[str] = Batcher(BatchLimits(records=10, tokens=100))
    batcher.add([("huge", 500), ("small", 1)], now=0.0)
    assert batcher.take() == ["huge"]
    assert batcher.take() == ["small"]


@given(st.lists(st.integers(0, 60)), st.integers(1, 8), st.integers(1, 100))
def test_batches_keep_the_order_and_the_limits(costs: list[int], records: int, tokens: int) -> None:
    batcher: Batcher[int] = Batcher(BatchLimits(records, tokens))
    batcher.add(list(enumerate(costs)), now=0.0)
    batches = []
    while len(batcher):
        batches.append(batcher.take())
    assert [item for batch in batches for item in batch] == list(range(len(costs)))
    for batch in batches:
        assert 1 <= len(batch) <= records
        assert len(batch) == 1 or sum(costs[item] for item in batch) <= tokens
    assert not batcher.is_full


def test_a_lane_takes_its_share_of_what_waits_and_of_the_limit() -> None:
    batcher: Batcher[int] = Batcher(BatchLimits(records=100, tokens=2000))
    batcher.add([(number, 100) for number in range(10)], now=0.0)
    assert batcher.take(lanes=2) == [0, 1, 2, 3, 4]
    assert batcher.take(lanes=2) == [5, 6]
    batcher.add([(number, 100) for number in range(10, 60)], now=0.0)
    assert len(batcher.take(lanes=2)) == 10


def test_a_lane_takes_at_least_what_is_worth_a_pass() -> None:
    batcher: Batcher[int] = Batcher(BatchLimits(records=100, tokens=2000))
    batcher.add([(number, 30) for number in range(4)], now=0.0)
    assert batcher.take(lanes=2) == [0, 1, 2, 3]
