"""Packs side by side, one thread each, instead of one pack with all threads at once.

Threads that share an operator wait for each other at the end of it, and a layer is a dozen short ones. Packs have
nothing to wait for: on two cores that is 1.1 to 1.6 times as many tokens a second, from 128 tokens on.
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
"""A lane with less than this is mostly busy with reading the weights."""

UNEVEN = 1.3
"""A lane may work so many times as long as the average of all; beyond it their threads are better off together."""


LANE_TOKENS = 768
"""Tokens of a pack that one thread computes by itself, at most: twice as many leave its cache (a tenth slower), a
quarter as many read the weights too often (as much)."""


class ParallelPacks:
    """Threads that compute packs; used by one thread at a time. They begin when first needed and end with this object.

    They are daemons: a `ThreadPoolExecutor` would hold up the end of the process until the last pack is computed.

    Attributes:
        lanes: How many packs are computed at once, where it is worth it.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self._work: _Work = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def worth(self, lengths: Sequence[int]) -> int:
        """How many lanes windows of these lengths should take: all, or 1 when some would have little to do."""
        total = sum(lengths)
        busy = total >= self.lanes * FEWEST_TOKENS and max(lengths) * self.lanes <= UNEVEN * total
        return self.lanes if busy else 1

    def pack_tokens(self, lanes: int, max_tokens: int) -> int:
        """Tokens of a pack, when `lanes` of them are computed at once and `max_tokens` in all."""
        each = max(max_tokens // lanes, 1)
        return min(each, LANE_TOKENS) if lanes == self.lanes else each

    def compute(self, compute: Callable[[T], R], packs: Sequence[T], lanes: int) -> list[R]:
        """`compute` of each pack, in order: each on a thread of its own, or with `lanes` = 1 all threads on each.

        Raises:
            BaseException: What the first pack in order raised; no other is being computed any more by then.
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
            # A thread that asks torch for the first time is told what any other has set last.
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
    """A lane: computes what comes until it is told to end."""
    while (task := work.get()) is not None:
        future, compute, pack = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(compute(pack))
            except BaseException as fault:
                future.set_exception(fault)
        del task, future, compute, pack  # they hold weights and rows, and the next may be long in coming


def _end(work: _Work, lanes: int) -> None:
    for _ in range(lanes):
        work.put(None)
