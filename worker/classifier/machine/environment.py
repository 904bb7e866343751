"""What the libraries under torch read from the environment once, as they are loaded; so it is set before they are."""

import os
from collections.abc import MutableMapping

SPIN_COUNT = "1000"
"""Turns that an OpenMP thread waits busily for the next piece of work before it sleeps (libgomp's own: 300,000).

A layer is a few short pieces. Where other processes or a container's quota take a core in the middle of one, the others
burn the rest of the time in waiting: on two busy cores 200 comments took 9.8 seconds of CPU with libgomp's count, 3.9
with 10,000, 1.8 with this and 1.5 on a single thread.
"""

KERNELS = "192"
"""Compiled kernels that oneDNN keeps, and as many that torch's own bridge to it keeps (1,024 each by default).

Comments of every length make new shapes all the time. With the defaults a process with the embedded model grew from 360
to over 1,300 MiB within a thousand comments; bounding only one of the two did not help. So many hold the shapes of the
ladders in `packing` and `attention`; 64 would save 80 MiB, and a batch of four comments would take a fifth longer.
"""


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what the operator has not set; without effect once torch is loaded."""
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
    environment.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", KERNELS)
    environment.setdefault("LRU_CACHE_CAPACITY", KERNELS)
