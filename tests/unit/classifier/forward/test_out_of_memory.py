"""What a machine has no memory for is computed in smaller parts, by lanes in turn if need be."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from worker.classifier.forward.forward import Marks
from worker.classifier.forward.out_of_memory import MemoryBound
from worker.errors import ModelFault

ROOM_TOKENS = 1000
LONGEST = 512
WAIT_SECONDS = 30


class SmallMachine:
    """A forward pass on a machine with memory for `ROOM_TOKENS` tokens in all passes together."""

    precision = "float32"
    padded_tokens = 0

    def __init__(self, begin_together: int) -> None:
        self._used = 0
        self._lock = threading.Lock()
        self._first = threading.Barrier(begin_together, timeout=WAIT_SECONDS)
        self._begun = 0
        self.most = 0

    def open_lanes(self, wanted: int | None = None) -> int:
        return wanted or 1

    def logits(self, windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:
        assert marks is None
        tokens = sum(map(len, windows))
        with self._lock:
            self._begun += 1
            self._used += tokens
            first = self._begun <= self._first.parties
        try:
            if first:
                self._first.wait()  # until all lanes are in a pass
            with self._lock:
                if self._used > ROOM_TOKENS:
                    raise MemoryError
                self.most = max(self.most, self._used)
            return torch.tensor([[float(window[0])] for window in windows])
        finally:
            with self._lock:
                self._used -= tokens


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_lanes_that_run_out_of_memory_together_all_get_their_logits(lanes: int) -> None:
    machine = SmallMachine(lanes)
    bound = MemoryBound(machine, 2048)
    windows = [[1] * LONGEST, [2] * 400, [3] * 100, [4] * 300]
    with ThreadPoolExecutor(lanes) as pool:
        each = list(pool.map(bound.logits, [windows] * lanes))
    for logits in each:
        assert logits.flatten().tolist() == [1, 2, 3, 4]
    assert bound.halvings >= 1
    assert machine.most <= ROOM_TOKENS


def test_a_window_for_which_there_is_no_memory_at_all_is_a_fault() -> None:
    bound = MemoryBound(SmallMachine(1), 2048)
    with pytest.raises(ModelFault, match="single window of 1001 tokens"):
        bound.logits([[1] * (ROOM_TOKENS + 1)])
