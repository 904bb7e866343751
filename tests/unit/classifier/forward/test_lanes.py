"""Lanes share the CPU's threads, compute on the thread that asks, and leave torch's thread count as it was."""

import threading
from collections.abc import Iterator

import pytest
import torch

from worker.classifier.forward.lanes import FEWEST_TOKENS, Lanes
from worker.classifier.forward.parallel_packs import ONE_THREAD_TOKENS
from worker.stream import batching


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("wanted", "count", "each"), [(None, 4, 1), (1, 1, 4), (2, 2, 2), (3, 3, 1), (9, 4, 1)])
def test_the_threads_are_shared_between_the_lanes_that_are_wanted(wanted: int | None, count: int, each: int) -> None:
    lanes = Lanes(4, wanted)
    assert lanes.count == count
    asked = lanes.compute(lambda pack: (pack, torch.get_num_threads(), threading.current_thread()), [0, 1])
    assert asked == [(0, each, threading.current_thread()), (1, each, threading.current_thread())]
    assert torch.get_num_threads() == 4


def test_a_thread_that_begins_afterwards_computes_with_all() -> None:
    asked: list[int] = []

    def fails(_: int) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        Lanes(4, None).compute(fails, [0])
    newcomer = threading.Thread(target=lambda: asked.append(torch.get_num_threads()))
    newcomer.start()
    newcomer.join()
    assert asked == [4]


@pytest.mark.parametrize(
    ("wanted", "max_tokens", "pack_tokens"),
    [
        (None, 1024, 256),
        (None, 65_536, ONE_THREAD_TOKENS),
        (2, 2048, 1024),
        (1, 2048, 2048),
        (None, 256, 128),
        (None, 2, 2),
    ],
)
def test_a_lane_of_one_thread_gets_packs_that_fit_in_its_cache(
    wanted: int | None, max_tokens: int, pack_tokens: int
) -> None:
    assert Lanes(4, wanted).pack_tokens(max_tokens) == pack_tokens


def test_a_pack_has_room_for_what_a_lane_takes_at_least() -> None:
    assert batching.FEWEST_TOKENS <= FEWEST_TOKENS
