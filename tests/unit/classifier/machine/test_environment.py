"""Waiting threads do not burn the cores and kernels do not fill the memory, unless the operator wants them to."""

import subprocess
import sys

import pytest

from worker.classifier.machine.environment import prepare

NAMES = ("GOMP_SPINCOUNT", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")


@pytest.mark.parametrize("name", NAMES)
def test_what_the_operator_set_stays(name: str) -> None:
    environment = {name: "5"}
    prepare(environment)
    assert environment.keys() == set(NAMES)
    assert environment[name] == "5"


def test_threads_wait_as_the_operator_says() -> None:
    environment = {"OMP_WAIT_POLICY": "ACTIVE"}
    prepare(environment)
    assert "GOMP_SPINCOUNT" not in environment


def test_it_is_set_before_torch_is_loaded() -> None:
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
