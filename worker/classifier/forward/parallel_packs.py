"""Compute packs side by side, one thread each, instead of one pack with all threads.

Threads that share an operator wait for each other at its end, and a layer is a dozen short operators. Packs do not wait
for each other: on two cores that gives 1.1 to 1.6 times as many tokens a second, from 128 tokens on.
"""

import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")

_Work = SimpleQueue[tuple[Future[Any], Callable[[Any], Any], Any] | None]

FEWEST_TOKENS = 64
"""A lane with fewer tokens than this spends most of its time reading the weights."""

UNEVEN = 1.3
"""A lane may take this many times as long as the average lane; beyond that, all threads on one pack are faster."""


LANE_TOKENS = 768
"""Most tokens in a pack that one thread computes alone: twice as many no longer fit in its cache, and a quarter as many
read the weights too often; either is a tenth slower."""


class ParallelPacks:
    """Threads that compute packs; used by one thread at a time. They start when first needed and end with this object.

    They are daemons: a `ThreadPoolExecutor` would delay the end of the process until the last pack is computed.

    Attributes:
        lanes: Number of packs computed at once, where that is faster.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._work: _Work = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def worth(self, lengths: Sequence[int]) -> int:
        """How many lanes to use for windows of these lengths: all, or 1 when some would have little to do."""
        total = sum(lengths)
        busy = total >= self.lanes * FEWEST_TOKENS and max(lengths) * self.lanes <= UNEVEN * total
        return self.lanes if busy else 1

    def pack_tokens(self, lanes: int, max_tokens: int) -> int:
        """Tokens of a pack when `lanes` packs are computed at once, with `max_tokens` in all."""
        each = max(max_tokens // lanes, 1)
        return min(each, LANE_TOKENS) if lanes == self.lanes else each

    def compute(self, compute: Callable[[T], R], packs: Sequence[T], lanes: int) -> list[R]:
        """The result of `compute` for each pack, in order: one thread a pack, or with `lanes` = 1 all threads on each.

        Raises:
            BaseException: The error of the first pack, in order, that failed; by then no other pack is being computed.
        """
        if lanes == 1:
            return [compute(pack) for pack in packs]

        def alone(pack: T) -> R:
            torch.set_num_threads(1)
            return compute(pack)

        self._begin()
        computed: list[Future[R]] = [Future() for _ in packs]
        for future, pack in zip(computed, packs, strict=True):
            self._work.put((future, alone, pack))
        try:
            return [one.result() for one in computed]
        finally:
            for one in computed:
                one.cancel()
            wait(computed)
            # A thread that uses torch for the first time takes the thread count that was set last, by any thread.
            torch.set_num_threads(self.lanes)

    def _begin(self) -> None:
        if self._threads:
            return
        for number in range(self.lanes):
            thread = threading.Thread(target=_compute, args=(self._work,), name=f"lane-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        weakref.finalize(self, _end, self._work, self.lanes)


def _compute(work: _Work) -> None:
    """A lane: computes the work it receives until it receives None."""
    while (task := work.get()) is not None:
        future, compute, pack = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(compute(pack))
            except BaseException as error:
                future.set_exception(error)
        del task, future, compute, pack  # they hold weights and rows, and the next task may take a long time to come


def _end(work: _Work, lanes: int) -> None:
    for _ in range(lanes):
        work.put(None)
