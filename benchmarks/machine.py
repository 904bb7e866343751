"""The machine that a benchmark ran on, without which its figures mean nothing."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("sluice-worker", "torch", "transformers", "tokenizers", "confluent-kafka")


def machine() -> dict[str, Any]:
    """CPU, its relevant features, cores, load before the run, and versions."""
    import torch  # noqa: PLC0415 - takes seconds, and --help does not need it

    from worker.classifier.machine.hardware import available_cores  # noqa: PLC0415 - it imports torch

    capabilities = torch.cpu.get_capabilities()
    features = ("avx2", "avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    return {
        "cpu": _cpu(),
        "features": [name for name in features if capabilities.get(name)],
        "cores": available_cores(),
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return f"{fields.get('model name', '?')} (family {fields.get('cpu family', '?')} model {fields.get('model', '?')})"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
