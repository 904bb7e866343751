"""Settings for every test."""

import os

from hypothesis import settings

# Where several processes share the tests, each has one thread for torch, also in the programs it starts: with more they
# would mostly wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline for one example: it would measure the machine's other load, not the code.
settings.register_profile("sluice", deadline=None)
settings.load_profile("sluice")
