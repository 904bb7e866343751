"""Whether int8 is worth taking on this machine: a short trial of speed, once its scores have passed theirs."""

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.classifier.forward.forward import Forward

log = logging.getLogger(__name__)

LENGTHS = (250, 120, 90, 60, 54, 40, 30, 24, 16, 12) * 2
"""Tokens of the windows of the trial, as natural comments have them: median 54, a few long ones."""

ROUNDS = 3

LEAST_GAIN = 0.1
"""int8 is taken if it saves at least this share of the time; for less, the scores do not change."""


def int8_is_faster(
    usual: "Forward", int8: "Forward", longest: int, clock: Callable[[], float] = time.perf_counter
) -> bool:
    """Compute the same windows with both, in alternating rounds; True if int8 is faster by LEAST_GAIN.

    Args:
        usual: The forward pass that would be used otherwise.
        int8: The same model in int8.
        longest: Tokens a window may hold.
        clock: Monotonic seconds.
    """
    windows = [[1] * min(length, longest) for length in LENGTHS]
    seconds: dict[str, list[float]] = {usual.precision: [], int8.precision: []}
    for number in range(1 + ROUNDS):
        for forward in (usual, int8) if number % 2 == 0 else (int8, usual):
            started = clock()
            forward.logits(windows)
            if number:  # the first round compiles kernels
                seconds[forward.precision].append(clock() - started)
    share = _median(seconds[int8.precision]) / _median(seconds[usual.precision])
    faster = share <= 1 - LEAST_GAIN
    log.info(
        "int8 takes %.0f %% of the time of %s on this machine: computing in %s (SLUICE_MODEL__PRECISION pins one)",
        *(100 * share, usual.precision, int8.precision if faster else usual.precision),
    )
    return faster


def _median(seconds: Sequence[float]) -> float:
    return max(statistics.median(seconds), 1e-9)
