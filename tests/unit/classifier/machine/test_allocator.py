"""Memory that was freed is used again without a new page fault."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
import torch
from worker.classifier.machine.allocator import keep_freed_memory
print(keep_freed_memory())
def scores():
    products = torch.ones(2 * 1024 * 1024)
    return (products * 2).sum().item()
for _ in range(3):
    scores()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    scores()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 10)
"""


def test_arrays_of_megabytes_are_made_of_pages_at_hand() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    set_so, faults = done.stdout.split()
    if set_so != "True":
        pytest.skip("this C library's malloc has no mallopt")
    assert int(faults) < 1000, "two arrays of 8 MiB are 4,096 pages"
