"""The number of threads follows the cores that this process may use."""

import os
from pathlib import Path

import pytest
import torch

from worker.classifier.machine.hardware import available_cores, choose_precision, multiplies_bfloat16
from worker.settings import Precision

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "150000 100000\n"}, min(2, CORES)),
        ({"cpu.max": "max 100000\n"}, CORES),
        ({"cpu.max": "100000000 100000\n"}, CORES),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, CORES),
        ({}, CORES),
    ],
)
def test_a_quota_limits_the_cores(files: dict[str, str], cores: int, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="ascii")
    assert available_cores(tmp_path) == cores


def test_an_explicit_precision_is_used() -> None:
    for precision in (Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8):
        assert choose_precision(precision, torch.device("cpu")) is precision


def test_auto_follows_the_hardware() -> None:
    expected = Precision.BFLOAT16 if multiplies_bfloat16(torch.device("cpu")) else Precision.FLOAT32
    assert choose_precision(Precision.AUTO, torch.device("cpu")) is expected
