"""Choose the forward pass for a model, a device and a precision, and try it before it is trusted."""

import functools
import logging
from typing import TYPE_CHECKING, NamedTuple

import torch

from worker.classifier.forward.architecture import Encoder, describe
from worker.classifier.forward.int8_linear import Int8Linear, int8_operators_agree
from worker.classifier.forward.linears import PlainLinear, bfloat16_linear, close
from worker.classifier.forward.packed import MakeLinear, PackedForward
from worker.classifier.forward.padded import PaddedForward
from worker.classifier.machine.hardware import choose_precision, set_threads
from worker.errors import SettingsInvalid
from worker.settings import Precision

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from worker.classifier.forward.forward import Forward

logger = logging.getLogger(__name__)

PROBE_LENGTHS = (13, 5, 13, 2, 7)
"""Tokens of the windows that a forward pass is tried on: equal ones, different ones, nearly none."""

EXACT = 1e-3
"""Largest difference of logits, relative to the largest, that float32 may make: its digits, no other computation."""

ROUNDED = 0.2
"""The same for low precision: wide, for it is not the judge of quality but finds operators that compute nonsense."""


class ForwardTrial(NamedTuple):
    """Windows and what transformers answers to them: a forward pass must answer the same before it is trusted.

    Attributes:
        windows: Token ids.
        logits: float32 [windows, labels], finite.
    """

    windows: list[list[int]]
    logits: torch.Tensor


def build_forward(
    model: "PreTrainedModel", *, device: torch.device, precision: Precision, max_tokens: int, threads: int | None
) -> "Forward":
    """A forward pass over `model` (float32, on the CPU; it is taken over and may be converted in place).

    Architectures that `worker.classifier.forward.architecture` describes are computed in packs, without padding, if
    that gives what the model itself gives on a trial; others in sorted, padded batches.

    Args:
        model: In evaluation mode.
        device: Where to compute.
        precision: `auto` takes bfloat16 where the hardware multiplies it natively, else float32.
        max_tokens: Tokens computed at once.
        threads: CPU threads for the model; none: as torch chooses, within the cores this process may use.

    Raises:
        SettingsInvalid: The precision cannot be had.
    """
    name = type(model).__name__
    precision = settle_precision(precision, device, threads)
    encoder = describe(model, name)
    if encoder is None:
        logger.info("%s has no packed forward pass: sorted, padded batches", name)
    else:
        trial = make_trial(model)
        # Logits that are not finite compare with nothing; warming up the classifier says what is wrong.
        if torch.isfinite(trial.logits).all():
            packed = build_packed(encoder, trial, name=name, device=device, precision=precision, max_tokens=max_tokens)
            if packed is not None:
                return packed
    if precision is Precision.INT8:
        message = f"model.precision int8 is not to be had for {name}. Set SLUICE_MODEL__PRECISION=auto."
        raise SettingsInvalid(message)
    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    return PaddedForward(model, device=device, dtype=dtype, max_tokens=max_tokens)


def settle_precision(precision: Precision, device: torch.device, threads: int | None) -> Precision:
    """Set the CPU threads, and say which precision to compute in.

    Raises:
        SettingsInvalid: It cannot be had on this machine.
    """
    set_threads(threads)
    precision = choose_precision(precision, device)
    if precision is Precision.INT8 and not (device.type == "cpu" and int8_operators_agree()):
        message = "model.precision int8 needs a CPU with VNNI or AMX. Set SLUICE_MODEL__PRECISION=auto."
        raise SettingsInvalid(message)
    return precision


def build_packed(
    encoder: Encoder, trial: ForwardTrial, *, name: str, device: torch.device, precision: Precision, max_tokens: int
) -> PackedForward | None:
    """A packed forward pass over `encoder`, if it answers `trial` rightly; else None.

    Args:
        encoder: The model's description, float32 on the CPU.
        trial: What transformers answers.
        name: The architecture's, for the log.
        device: Where to compute.
        precision: As `settle_precision` gave it.
        max_tokens: Tokens computed at once.
    """
    if device.type == "cuda" and precision is Precision.FLOAT32:
        logger.info("float32 on a CUDA device: padded batches, for packed attention there is in half precision")
        return None
    exact = _forward(encoder, torch.device("cpu"), Precision.FLOAT32, max_tokens)
    if not close(exact.logits(trial.windows), trial.logits, EXACT):
        logger.warning("%s does not compute what its name says: sorted, padded batches, which are slower", name)
        return None
    if device.type == "cpu" and precision is Precision.FLOAT32:
        return exact
    forward = _forward(encoder, device, precision, max_tokens)
    if not close(forward.logits(trial.windows), trial.logits, ROUNDED):
        logger.warning("%s in packed %s disagrees with itself in float32: padded batches", name, precision.value)
        return None
    return forward


def make_trial(model: "PreTrainedModel") -> ForwardTrial:
    """Windows of token ids from all over the vocabulary, and what transformers computes, one window at a time."""
    generator = torch.Generator().manual_seed(0)
    vocabulary = int(model.config.vocab_size)
    windows = [torch.randint(vocabulary, (length,), generator=generator).tolist() for length in PROBE_LENGTHS]
    with torch.inference_mode():
        logits = torch.cat([model(input_ids=torch.tensor([window])).logits for window in windows])
    return ForwardTrial(windows, logits)


def _forward(encoder: Encoder, device: torch.device, precision: Precision, max_tokens: int) -> PackedForward:
    dtype = torch.float32 if precision is Precision.FLOAT32 else torch.bfloat16
    make_linear: MakeLinear = PlainLinear
    if precision is Precision.BFLOAT16:
        make_linear = functools.partial(bfloat16_linear, device=device, rows=max_tokens)
    elif precision is Precision.INT8:
        make_linear = functools.partial(Int8Linear, rows=max_tokens)
    return PackedForward(
        encoder,
        make_linear,
        precision=precision.value,
        device=device,
        dtype=dtype,
        max_tokens=max_tokens,
        threads=torch.get_num_threads(),
    )
