"""ParallelPacks computes each pack once, with one thread each, and leaves torch's thread count unchanged."""

import gc
import threading
from pathlib import Path

import pytest
import torch

from tests.unit.classifier.forward.reference import TOLERANCES, build, plain, windows_of
from worker.classifier.forward.parallel_packs import ONE_THREAD_TOKENS, ParallelPacks
from worker.settings import Precision


def test_packs_are_computed_in_parallel_with_a_thread_each_and_returned_in_order() -> None:
    together = threading.Barrier(2, timeout=30)

    def compute(number: int) -> tuple[int, int]:
        together.wait()
        return number, torch.get_num_threads()

    assert ParallelPacks(2).compute(compute, [1, 2, 3, 4], 2) == [(1, 1), (2, 1), (3, 1), (4, 1)]


def test_afterwards_every_thread_computes_with_all_threads_again() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        ParallelPacks(2).compute(lambda _: None, [1, 2], 2)
        asked: list[int] = []
        newcomer = threading.Thread(target=lambda: asked.append(torch.get_num_threads()))
        newcomer.start()
        newcomer.join()
        assert [torch.get_num_threads(), *asked] == [2, 2]
    finally:
        torch.set_num_threads(before)


def test_when_a_pack_fails_no_other_is_still_computed() -> None:
    begun, ended = threading.Event(), threading.Event()

    def compute(number: int) -> None:
        if number == 0:
            assert begun.wait(30)
            raise MemoryError
        begun.set()
        ended.wait(0.2)
        ended.set()

    with pytest.raises(MemoryError):
        ParallelPacks(2).compute(compute, [0, 1], 2)
    assert ended.is_set()


def test_lanes_do_not_delay_the_process_and_end_with_their_owner() -> None:
    lanes = ParallelPacks(2)
    threads = lanes.compute(lambda _: threading.current_thread(), range(20), 2)
    assert all(thread.daemon and thread.is_alive() for thread in threads)
    del lanes
    gc.collect()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("lengths", "lanes"),
    [
        ([64] * 8, 4),
        ([512, 512, 500, 100], 4),
        ([40, 40], 1),  # little to do
        ([512, 20, 20, 20, 20, 20, 20], 1),  # one lane would work, the others wait
        ([512], 1),
        ([0], 1),
    ],
)
def test_all_lanes_are_used_where_each_has_about_as_much_to_do(lengths: list[int], lanes: int) -> None:
    assert ParallelPacks(4).worth(lengths) == lanes


@pytest.mark.parametrize(
    ("threads", "lanes", "max_tokens", "pack_tokens"),
    [
        (2, 2, 1024, 512),  # the budget, shared
        (2, 2, 4096, ONE_THREAD_TOKENS),  # more than one thread should take
        (1, 1, 4096, ONE_THREAD_TOKENS),
        (4, 1, 4096, 4096),  # all threads on one pack
        (8, 8, 4, 1),
    ],
)
def test_a_thread_on_its_own_gets_small_packs(threads: int, lanes: int, max_tokens: int, pack_tokens: int) -> None:
    assert ParallelPacks(threads).pack_tokens(lanes, max_tokens) == pack_tokens


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.BFLOAT16])
def test_logits_are_those_of_plain_transformers_on_any_number_of_threads(precision: Precision, bert: Path) -> None:
    windows = windows_of(bert, [*range(20, 120, 7)] * 2)
    expected = plain(bert, windows)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 3):
            forward = build(bert, precision, 900, threads=threads)
            difference = (forward.logits(windows) - expected).abs()
            assert difference.max() <= TOLERANCES[precision][0]
            assert difference.mean() <= TOLERANCES[precision][1]
    finally:
        torch.set_num_threads(before)


def test_one_thread_needs_no_lanes(bert: Path) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        forward = build(bert, Precision.FLOAT32)
        names = {thread.name for thread in threading.enumerate()}
        forward.logits(windows_of(bert, [100] * 4))
        assert {thread.name for thread in threading.enumerate()} <= names
    finally:
        torch.set_num_threads(before)
