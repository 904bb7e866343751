"""Waiting threads do not burn CPU time, kernels do not fill the memory, and freed memory is reused."""

import subprocess
import sys

import pytest

from worker.classifier.machine.process_tuning import prepare_environment

NAMES = ("GOMP_SPINCOUNT", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")

PROGRAM = """
import resource
import torch
from worker.classifier.machine.process_tuning import keep_freed_memory
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


@pytest.mark.parametrize("name", NAMES)
def test_the_operators_own_settings_stay(name: str) -> None:
    environment = {name: "5"}
    prepare_environment(environment)
    assert environment.keys() == set(NAMES)
    assert environment[name] == "5"


def test_the_operators_wait_policy_stays() -> None:
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    prepare_environment(environment)
    assert "GOMP_SPINCOUNT" not in environment


def test_the_environment_is_set_before_torch_is_loaded() -> None:
    program = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch':\n"
        f"            print(*map(os.environ.get, {NAMES})), sys.exit()\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from worker.classifier import Classifier\n"
        "Classifier.load('sluice-mini')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env={})
    values = done.stdout.split()
    assert len(values) == len(NAMES), done.stderr
    assert all(value.isdigit() for value in values)


def test_arrays_of_megabytes_reuse_pages() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    set_so, faults = done.stdout.split()
    if set_so != "True":
        pytest.skip("this C library's malloc has no mallopt")
    assert int(faults) < 1000, "two arrays of 8 MiB are 4,096 pages"


def test_what_is_free_below_what_is_not_is_returned() -> None:
    program = (
        "from worker.classifier.machine.process_tuning import keep_freed_memory, return_freed_memory\n"
        "def resident():\n"
        "    return int(open('/proc/self/statm').read().split()[1]) * 4096 // 2**20\n"
        "keep_freed_memory()\n"
        "arrays = [bytearray(b'x') * 2**20 for _ in range(64)]\n"
        "above = bytearray(b'x') * 2**20\n"
        "del arrays\n"
        "before = resident()\n"
        "print(return_freed_memory(), before - resident())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    returned, mebibytes = done.stdout.split()
    if returned == "False":
        pytest.skip("another malloc than glibc's")
    assert int(mebibytes) >= 60
