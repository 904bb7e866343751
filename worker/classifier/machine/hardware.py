"""What this machine has and computes well: device, precision and cores, detected rather than assumed."""

import functools
import math
import os
from pathlib import Path

import torch

from worker.errors import SettingsInvalid
from worker.settings import Precision

CGROUP = Path("/sys/fs/cgroup")

CPU_PASS_TOKENS, GPU_PASS_TOKENS = 2048, 65_536
"""Tokens computed at once; `pass_tokens` has the reason."""


def choose_device(asked: str) -> torch.device:
    """The device named `cpu`, `cuda` or `cuda:N`; for `auto`, a CUDA device if there is one.

    Raises:
        SettingsInvalid: The CUDA device does not exist.
    """
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(asked)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        message = (
            f"model.device is {asked!r}, but torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices. "
            "Set SLUICE_MODEL__DEVICE=cpu, or install torch with CUDA and check the driver (nvidia-smi)."
        )
        raise SettingsInvalid(message)
    return device


def choose_precision(asked: Precision, device: torch.device) -> Precision:
    """`asked`; for `auto`, bfloat16 where `device` multiplies it natively and float32 elsewhere."""
    if asked is not Precision.AUTO:
        return asked
    return Precision.BFLOAT16 if multiplies_bfloat16(device) else Precision.FLOAT32


def pass_tokens(asked: int | None, device: torch.device) -> int:
    """Tokens to compute at once: `asked`, or what `device` computes fastest.

    A CPU's cache holds the rows of 2,048 tokens. A GPU has thousands of multipliers to keep busy: an H200 computes 0.9
    million tokens a second of BERT-base in packs of 2,048, 2.3 in packs of 16,384, and 2.4 in packs of 65,536, whose
    widest rows take 0.4 GB.
    """
    if asked is not None:
        return asked
    return GPU_PASS_TOKENS if device.type == "cuda" else CPU_PASS_TOKENS


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the hardware has instructions for bfloat16 products: tensor cores, AMX or AVX-512 BF16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@functools.cache
def multiplies_tiles() -> bool:
    """Whether the CPU multiplies tiles of bfloat16 numbers (AMX)."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def multiplies_int8() -> bool:
    """Whether the CPU has dot products of 8-bit integers; without them a sum of two products can overflow 16 bits."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))


def set_threads(threads: int | None) -> int:
    """Set the number of threads torch computes with, and return how many it uses.

    None keeps what torch chose, but never more than the cores this process may use: torch takes affinity and
    OMP_NUM_THREADS into account, but not a container's quota, and threads beyond the quota are stopped in the middle of
    a layer while the others wait.
    """
    wanted = min(torch.get_num_threads(), available_cores()) if threads is None else threads
    if wanted != torch.get_num_threads():
        torch.set_num_threads(wanted)
    return wanted


@functools.cache
def threads_at_start() -> int:
    """How many threads `set_threads(None)` used when this was first called.

    A new thread, such as the one that loads a successor, is told what a thread beside it has set for itself: a lane's
    share.
    """
    return set_threads(None)


def available_cores(cgroup: Path = CGROUP) -> int:
    """Cores this process may use: its affinity, limited by the CPU quota of its control group (version 2 or 1)."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """The quota in cores; None when there is no limit."""
    try:
        limit, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    if limit in {"max", "-1"}:
        return None
    return int(limit) / int(period)
