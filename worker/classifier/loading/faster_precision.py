"""Whether int8 is worth taking on this machine: a short trial of speed, once its scores have passed theirs."""

import logging
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from worker.errors import SettingsInvalid

if TYPE_CHECKING:
    from worker.classifier.forward.forward import Forward

log = logging.getLogger(__name__)

LENGTHS = (250, 120, 90, 60, 54, 40, 30, 24, 16, 12) * 2
"""Tokens of the windows of the trial, about as natural comments have them: most are short, a few long."""

ROUNDS = 3

LEAST_GAIN = 0.1
"""int8 is taken if it saves at least this share of the time; for less, the scores do not change."""


def faster_of(usual: "Forward", load_int8: Callable[[], "Forward"], longest: int) -> "Forward":
    """The model in int8 where that is faster here, and can be loaded at all; else `usual`.

    Args:
        usual: The forward pass that would be used otherwise.
        load_int8: Loads the same model in int8.
        longest: Tokens a window may hold.
    """
    try:
        int8 = load_int8()
    except SettingsInvalid as error:
        log.warning(
            "int8 has passed its trial but cannot be computed here: computing in %s (%s)", usual.precision, error
        )
        return usual
    return int8 if int8_is_faster(usual, int8, longest) else usual


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
