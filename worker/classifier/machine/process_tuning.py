"""Settings of the process that suit a forward pass: the allocator, and what the libraries under torch read once.

Those libraries read the environment while they are loaded, so this must run before torch is imported.
"""

import ctypes
import os
from collections.abc import MutableMapping

SPIN_COUNT = "1000"
"""Turns for which an OpenMP thread waits busily for the next piece of work before it sleeps (libgomp's own: 300,000).

A layer is a few short pieces of work. Where other processes or a container's quota take a core away in the middle of
one, the other threads burn the rest of the time waiting: on two busy cores 200 comments took 9.8 seconds of CPU time
with libgomp's count, 3.9 with 10,000, 1.8 with this one and 1.5 on a single thread.
"""

KERNELS = "384"
"""Compiled kernels that oneDNN keeps, and as many that torch's own bridge to it keeps (1,024 each by default).

Comments of every length keep making new shapes. With the defaults a process with the embedded model grew from 360 to
over 1,300 MiB within a thousand comments; bounding only one of the two caches did not help. This many hold the shapes
of the ladders in `packing` and `attention`, 240 of them for one to five comments at a time. With half as many each pass
over a few comments compiled two or three again, 4 ms each with AMX and a quarter of its time, and the process became no
smaller.
"""

LARGEST_KEPT = 32 * 1024 * 1024
"""Bytes of the largest allocation that glibc serves from its heap (malloc's DEFAULT_MMAP_THRESHOLD_MAX)."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


def prepare_environment(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that the operator has not set; this has no effect once torch is loaded."""
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
    environment.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS)
    environment.setdefault("LRU_CACHE_CAPACITY", KERNELS)


def keep_freed_memory() -> bool:
    """Keep memory that a forward pass frees for the next layer, instead of returning it to the system.

    This sets from the start what glibc adapts to once an array of `LARGEST_KEPT` bytes has been freed; it returns False
    where the C library has another malloc. Attention scores of one window of 512 tokens are 6 MiB, allocated and freed
    twice in each layer. While glibc still trims its heap below that size, every allocation faults its pages in again:
    15,000 page faults and 70 % more time in a pass.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGEST_KEPT)) and bool(mallopt(_M_TRIM_THRESHOLD, 2 * LARGEST_KEPT))


def return_freed_memory() -> bool:
    """Return to the system what is free now, once, for what loading a model frees is more than a pass takes.

    Afterwards the embedded model takes 573 MiB instead of 620, one of DistilBERT-base's shape 1,012 instead of 1,151.
    Returns False where the C library cannot.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return False
    return bool(trim(0))
