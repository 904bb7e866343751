"""Threads that wait do not burn the cores, unless the operator wants them to."""

import subprocess
import sys

import pytest

from worker.classifier.environment import prepare


@pytest.mark.parametrize("own", [{"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_what_the_operator_set_stays(own: dict[str, str]) -> None:
    environment = dict(own)
    prepare(environment)
    assert environment.items() >= own.items()
    assert environment.get("GOMP_SPINCOUNT") == own.get("GOMP_SPINCOUNT")


def test_it_is_set_before_torch_is_loaded() -> None:
    program = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch':\n"
        "            print(os.environ.get('GOMP_SPINCOUNT')), sys.exit()\n"
        "sys.meta_path.insert(0, Watch())\n"
        "from worker.classifier import Classifier\n"
        "Classifier.load('sluice-mini')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env={})
    assert done.stdout.strip().isdigit(), done.stderr
