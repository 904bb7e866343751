"""A forward pass that recovers from running out of memory.

How much memory a batch takes depends on the model, the device and what else runs on it; no setting is right for all
three. So running out of memory is an error only when a single window does not fit.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from worker.errors import Fatal, ModelFault, Poison, SluiceError

if TYPE_CHECKING:
    from worker.classifier.forward.forward import Forward, Marks

log = logging.getLogger(__name__)

DEVICE_LOST = ("CUDA error", "CUDNN_STATUS", "CUBLAS_STATUS", "NCCL error", "device-side assert")
CPU_OUT_OF_MEMORY = "can't allocate memory"


class MemoryBound:
    """Runs a forward pass and permanently halves the tokens it computes at once each time it runs out of memory.

    Several threads may use it at once; if they run out of memory together, that halves the tokens once.

    Attributes:
        halvings: How often that has happened.
    """

    def __init__(self, forward: "Forward", max_tokens: int) -> None:
        """Wrap `forward`, which computes up to `max_tokens` at once."""
        self._forward = forward
        self._max_tokens = max_tokens
        self.halvings = 0
        self._passes = 0
        self._alone = False
        self._changed = threading.Condition()

    def logits(self, windows: Sequence[Sequence[int]], marks: "Marks | None" = None) -> torch.Tensor:
        """Logits of each window: float32 [windows, labels] on the CPU, in input order; `marks` as in `Forward.logits`.

        Raises:
            ModelFault: A single window does not fit in memory.
            Fatal: The device is broken.
            Poison: The forward pass failed on these windows; fewer of them may succeed.
        """
        while True:
            halvings = self.halvings
            try:
                if halvings:
                    return self._in_parts(windows, marks)
                with self._pass(alone=False):
                    return self._forward.logits(windows, marks)
            except SluiceError:
                raise
            except Exception as error:  # a forward pass may raise anything; it is classified here
                if not is_out_of_memory(error):
                    raise _fault(error) from error
                with self._changed:
                    if self.halvings == halvings:  # else another thread has halved them meanwhile
                        self._halve(windows, error)

    @contextmanager
    def _pass(self, *, alone: bool) -> Iterator[None]:
        """A forward pass; `alone` if memory is short: several at once take as many times as much."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not (alone and self._passes))
            self._passes += 1
            self._alone = alone
        try:
            yield
        finally:
            with self._changed:
                self._passes -= 1
                self._alone = False
                self._changed.notify_all()

    def _in_parts(self, windows: Sequence[Sequence[int]], marks: "Marks | None") -> torch.Tensor:
        # Sorted, so that each part needs little padding.
        order = sorted(range(len(windows)), key=lambda index: -len(windows[index]))
        parts: list[list[int]] = []
        tokens = self._max_tokens + 1
        for index in order:
            tokens += len(windows[index])
            if tokens > self._max_tokens:
                parts.append([])
                tokens = len(windows[index])
            parts[-1].append(index)
        rows = []
        for part in parts:
            of_part: Marks | None = None if marks is None else {}
            with self._pass(alone=True):
                rows.append(self._forward.logits([windows[index] for index in part], of_part))
            if marks is not None and of_part:
                marks.update((part[place], mark) for place, mark in of_part.items())
        joined = torch.cat(rows)
        result = torch.empty_like(joined)
        result[order] = joined
        return result

    def _halve(self, windows: Sequence[Sequence[int]], error: Exception) -> None:
        longest = max(map(len, windows))
        if self.halvings and self._max_tokens <= longest:
            message = (
                f"out of memory on a single window of {longest} tokens. Give the worker more memory, "
                "or set SLUICE_MODEL__MAX_WINDOW_TOKENS lower."
            )
            raise ModelFault(message) from error
        self.halvings += 1
        self._max_tokens = max(self._max_tokens // 2, 1)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        log.warning(
            "out of memory: continuing with at most %d tokens at once; set SLUICE_MODEL__MAX_PASS_TOKENS to that",
            self._max_tokens,
        )


def is_out_of_memory(error: Exception) -> bool:
    """Whether torch or Python raised this for lack of memory."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (
        isinstance(error, RuntimeError) and CPU_OUT_OF_MEMORY in str(error)
    )


def _fault(error: Exception) -> Exception:
    if isinstance(error, torch.AcceleratorError) or any(mark in str(error) for mark in DEVICE_LOST):
        message = f"the device failed ({type(error).__name__}). Check its driver's log, then restart the worker."
        return Fatal(message)
    # A forward pass sees token ids and shapes, never text: its message may be quoted.
    return Poison(f"the forward pass failed: {type(error).__name__}: {error}")
