"""Build the forward pass for a model, a device and a precision, and test it against transformers before it is used."""

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

log = logging.getLogger(__name__)

PROBE_LENGTHS = (13, 5, 13, 2, 7)
"""Lengths in tokens of the windows that a forward pass is tested on: equal, different and very short ones."""

EXACT = 1e-3
"""Largest difference of logits, relative to the largest, that counts as rounding in float32."""

ROUNDED = 0.2
"""The same for low precision: wide, because it does not judge quality but catches operators that compute nonsense."""


class ForwardTrial(NamedTuple):
    """Windows and the logits that transformers computes for them: a forward pass must agree before it is used.

    Attributes:
        windows: Token ids.
        logits: float32 [windows, labels], finite.
    """

    windows: list[list[int]]
    logits: torch.Tensor


def build_forward(
    model: "PreTrainedModel", *, device: torch.device, precision: Precision, max_tokens: int, threads: int | None
) -> "Forward":
    """A forward pass over `model` (float32, on the CPU); it takes ownership of the model and may convert it in place.

    Architectures that `worker.classifier.forward.architecture` describes are computed in packs, without padding, if
    the results agree with the model's own in a trial; others in sorted, padded batches.

    Args:
        model: A model in evaluation mode.
        device: Where to compute.
        precision: `auto` selects bfloat16 where the hardware multiplies it natively, else float32.
        max_tokens: Tokens computed at once.
        threads: CPU threads for the model; None: as torch chooses, within the cores this process may use.

    Raises:
        SettingsInvalid: The precision is not supported.
    """
    name = type(model).__name__
    precision = settle_precision(precision, device, threads)
    encoder = describe(model, name)
    if encoder is None:
        log.info("%s has no packed forward pass: computing sorted, padded batches", name)
    else:
        trial = make_trial(model)
        # Logits that are not finite cannot be compared; warming up the classifier reports what is wrong.
        if torch.isfinite(trial.logits).all():
            packed = build_packed(encoder, trial, name=name, device=device, precision=precision, max_tokens=max_tokens)
            if packed is not None:
                return packed
    if precision is Precision.INT8:
        message = f"model.precision int8 is not supported for {name}. Set SLUICE_MODEL__PRECISION=auto."
        raise SettingsInvalid(message)
    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    return PaddedForward(model, device=device, dtype=dtype, max_tokens=max_tokens)


def settle_precision(precision: Precision, device: torch.device, threads: int | None) -> Precision:
    """Set the CPU threads, and return the precision to compute in.

    Raises:
        SettingsInvalid: The precision is not supported on this machine.
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
    """A packed forward pass over `encoder`, if its logits agree with `trial`; else None.

    Args:
        encoder: The model's description, float32 on the CPU.
        trial: Windows and transformers' logits for them.
        name: Name of the architecture, for the log.
        device: Where to compute.
        precision: The result of `settle_precision`.
        max_tokens: Tokens computed at once.
    """
    if device.type == "cuda" and precision is Precision.FLOAT32:
        log.info("float32 on a CUDA device: computing padded batches, because packed attention needs half precision")
        return None
    exact = _forward(encoder, torch.device("cpu"), Precision.FLOAT32, max_tokens)
    if not close(exact.logits(trial.windows), trial.logits, EXACT):
        log.warning("%s does not compute what its name implies: computing padded batches, which are slower", name)
        return None
    if device.type == "cpu" and precision is Precision.FLOAT32:
        return exact
    forward = _forward(encoder, device, precision, max_tokens)
    if not close(forward.logits(trial.windows), trial.logits, ROUNDED):
        log.warning(
            "%s in packed %s disagrees with itself in float32: computing padded batches, which are slower",
            name,
            precision.value,
        )
        return None
    return forward


def make_trial(model: "PreTrainedModel") -> ForwardTrial:
    """Windows of random token ids, and the logits that transformers computes, one window at a time."""
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
