"""What the libraries under torch read from the environment once, as they are loaded; so it is set before they are."""

import os
from collections.abc import MutableMapping

SPIN_COUNT = "1000"
"""Turns that an OpenMP thread waits busily for the next piece of work before it sleeps (libgomp's own: 300,000).

A layer is a few short pieces. Where other processes or a container's quota take a core in the middle of one, the others
burn the rest of the time in waiting: on two busy cores 200 comments took 9.8 seconds of CPU with libgomp's count, 3.9
with 10,000, 1.8 with this and 1.5 on a single thread.
"""


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what the operator has not set; without effect once torch is loaded."""
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
