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
"""A thread with fewer tokens than this spends most of its time reading the weights."""

UNEVEN = 1.3
"""A thread may take this many times as long as the average one; beyond that, all threads on one pack are faster."""


ONE_THREAD_TOKENS = 768
"""Most tokens in a pack that one thread computes alone: twice as many no longer fit in its cache, and a quarter as many
read the weights too often; either is a tenth slower."""


class ParallelPacks:
    """Threads that compute packs; used by one thread at a time. They start when first needed and end with this object.

    They are daemons: a `ThreadPoolExecutor` would delay the end of the process until the last pack is computed.

    Attributes:
        threads: Number of packs computed at once, where that is faster.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._work: _Work = SimpleQueue()
        self._begun: list[threading.Thread] = []

    def worth(self, lengths: Sequence[int]) -> int:
        """How many packs to compute at once for windows of these lengths: 1 if some threads would have little to do."""
        total = sum(lengths)
        busy = total >= self.threads * FEWEST_TOKENS and max(lengths) * self.threads <= UNEVEN * total
        return self.threads if busy else 1

    def pack_tokens(self, together: int, max_tokens: int) -> int:
        """Tokens of a pack when `together` packs are computed at once, with `max_tokens` in all."""
        each = max(max_tokens // together, 1)
        return min(each, ONE_THREAD_TOKENS) if together == self.threads else each

    def compute(self, compute: Callable[[T], R], packs: Sequence[T], together: int) -> list[R]:
        """The result of `compute` for each pack, in order: a thread each, or with `together` = 1 all threads on each.

        Raises:
            BaseException: The error of the first pack, in order, that failed; by then no other pack is being computed.
        """
        if together == 1:
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
            torch.set_num_threads(self.threads)

    def _begin(self) -> None:
        if self._begun:
            return
        for number in range(self.threads):
            thread = threading.Thread(target=_compute, args=(self._work,), name=f"pack-{number}", daemon=True)
            thread.start()
            self._begun.append(thread)
        weakref.finalize(self, _end, self._work, self.threads)


def _compute(work: _Work) -> None:
    """A thread: computes the work it receives until it receives None."""
    while (task := work.get()) is not None:
        future, compute, pack = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(compute(pack))
            except BaseException as error:
                future.set_exception(error)
        del task, future, compute, pack  # they hold weights and rows, and the next task may take a long time to come


def _end(work: _Work, threads: int) -> None:
    for _ in range(threads):
        work.put(None)
