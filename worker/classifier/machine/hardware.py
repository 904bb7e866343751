"""What this machine computes well, found out rather than assumed."""

import math
import os
from pathlib import Path

import torch

from worker.settings import Precision

CGROUP = Path("/sys/fs/cgroup")


def choose_precision(asked: Precision, device: torch.device) -> Precision:
    """`asked`, or for `auto` bfloat16 where `device` multiplies it natively, else float32."""
    if asked is not Precision.AUTO:
        return asked
    return Precision.BFLOAT16 if multiplies_bfloat16(device) else Precision.FLOAT32


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products have instructions of their own: tensor cores, AMX or AVX-512 BF16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def multiplies_int8() -> bool:
    """Whether the CPU has dot products of 8-bit integers; without them a sum of two can overflow 16 bits."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))


def set_threads(threads: int | None) -> int:
    """Let torch compute with `threads` threads, and return how many it uses.

    None takes what torch chose, but never more than the cores this process may use: torch knows of affinity and of
    OMP_NUM_THREADS, not of a container's quota, and threads beyond it are stopped in the middle of a layer while the
    others wait.
    """
    wanted = min(torch.get_num_threads(), available_cores()) if threads is None else threads
    if wanted != torch.get_num_threads():
        torch.set_num_threads(wanted)
    return wanted


def available_cores(cgroup: Path = CGROUP) -> int:
    """Cores this process may use: its affinity, cut to the CPU quota of its control group (version 2 or 1)."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Cores' worth of time granted in each period; None: no limit."""
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
