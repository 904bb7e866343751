"""Choose the forward pass for a model, a device and a precision."""

from typing import TYPE_CHECKING

import torch

from worker.classifier.padded import PaddedForward
from worker.errors import SettingsInvalid
from worker.settings import Precision

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from worker.classifier.forward import Forward


def build_forward(
    model: "PreTrainedModel", *, device: torch.device, precision: Precision, max_tokens: int, threads: int | None
) -> "Forward":
    """A forward pass over `model` (float32, on the CPU; it is taken over and may be converted in place).

    Args:
        model: In evaluation mode.
        device: Where to compute.
        precision: `auto` takes bfloat16 where the hardware multiplies it natively, else float32.
        max_tokens: Tokens computed at once.
        threads: CPU threads for the model; none: as torch chooses.

    Raises:
        SettingsInvalid: The precision cannot be had.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if precision is Precision.INT8:
        message = "model.precision int8 is not available for this model. Set SLUICE_MODEL__PRECISION=auto."
        raise SettingsInvalid(message)
    if precision is Precision.AUTO:
        precision = Precision.BFLOAT16 if _multiplies_bfloat16(device) else Precision.FLOAT32
    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    return PaddedForward(model, device=device, dtype=dtype, max_tokens=max_tokens)


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
