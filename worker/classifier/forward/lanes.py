"""Lanes: threads that use a forward pass at the same time, each with its own share of the CPU's threads."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from worker.classifier.forward.parallel_packs import ONE_THREAD_TOKENS

FEWEST_TOKENS = 128
"""A lane's pack may always hold this many tokens, however many lanes share a pass. A lane takes at least as many from
what is waiting; in two packs they would take half as long again (17.8 ms instead of 11.6, with AMX)."""

T = TypeVar("T")
R = TypeVar("R")


class Lanes:
    """Computes packs on the thread that asks for them. Several threads may ask at once.

    The number of threads that compute a pack is fixed: a product that is split between a different number of threads
    may be rounded differently, and a text's score must not depend on what else is going on.

    Attributes:
        count: Threads that should ask at once.
    """

    def __init__(self, threads: int, wanted: int | None) -> None:
        """Share `threads` between as many lanes as `wanted`, at most one for each thread; None: that many."""
        self.count = min(wanted or threads, threads)
        self._threads = threads
        self._each = threads // self.count

    def pack_tokens(self, max_tokens: int) -> int:
        """Tokens of a pack when all lanes together should compute no more than `max_tokens` at once."""
        share = max(max_tokens // self.count, min(FEWEST_TOKENS, max_tokens))
        return min(share, ONE_THREAD_TOKENS) if self._each == 1 else share

    def compute(self, compute: Callable[[T], R], packs: Sequence[T]) -> list[R]:
        """The result of `compute` for each pack, in order, with this lane's threads."""
        torch.set_num_threads(self._each)
        try:
            return [compute(pack) for pack in packs]
        finally:
            # A thread that uses torch for the first time takes the thread count that was set last, by any thread.
            torch.set_num_threads(self._threads)
