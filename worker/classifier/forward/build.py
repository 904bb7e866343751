"""Build the forward pass for a model, a device and a precision, and test it against transformers before it is used."""

import functools
import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch

from worker.classifier.forward.architecture import Encoder, Layer, describe
from worker.classifier.forward.attention import varlen_options
from worker.classifier.forward.blocks import Block, MakeLinear, PlainBlock
from worker.classifier.forward.fixed_scales import FixedBlock, fixed_operators_agree, fixed_scales_fit
from worker.classifier.forward.int8_linear import Int8Linear, int8_operators_agree
from worker.classifier.forward.linears import PlainLinear, bfloat16_linear, close
from worker.classifier.forward.out_of_memory import is_out_of_memory
from worker.classifier.forward.packed import PackedForward, first_places
from worker.classifier.forward.padded import PaddedForward
from worker.classifier.forward.ranges import Ranges
from worker.classifier.forward.trial import ForwardTrial, Sample, first_line, random_trial, text_trial
from worker.classifier.machine.hardware import choose_precision, set_threads
from worker.errors import ModelFault, SettingsInvalid
from worker.settings import Precision

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from worker.classifier.forward.forward import Forward

log = logging.getLogger(__name__)

EXACT = 1e-3
"""Largest difference of logits, relative to the largest, that counts as rounding in float32."""

ROUNDED = 0.2
"""The same for low precision: wide, because it does not judge quality but catches operators that compute nonsense."""

ROUNDED_SCORE = 0.05
"""Largest difference of a score that bfloat16 may make to an architecture without a packed forward pass."""


def build_forward(
    load: Callable[[], "PreTrainedModel"],
    sample: Sample,
    *,
    device: torch.device,
    precision: Precision,
    max_tokens: int,
    threads: int | None,
    ranges: Mapping[int, Ranges] | None = None,
) -> "Forward":
    """A forward pass over a model, tested on the sample.

    Architectures that `worker.classifier.forward.architecture` describes are computed in packs, without padding, if
    the results agree with the model's own in a trial; others in sorted, padded batches. With `auto`, a model that
    cannot compute in bfloat16, or gives other scores there, is loaded again and computed in float32.

    Args:
        load: Loads the model in float32 on the CPU, in evaluation mode; it is then converted in place.
        sample: Windows of texts.
        device: Where to compute.
        precision: `auto` selects bfloat16 where the hardware multiplies it natively, else float32.
        max_tokens: Tokens computed at once.
        threads: CPU threads for the model; None: as torch chooses, within the cores this process may use.
        ranges: What its layers reach, for int8 with scales fixed beforehand; None: scales of each row.

    Raises:
        ModelFault: The model cannot compute a text, or not the same way twice.
        SettingsInvalid: The precision is not supported.
    """
    settled = settle_precision(precision, device, threads)
    model = load()
    name = type(model).__name__
    packed = _try_packed(
        model, sample, name=name, device=device, precision=settled, max_tokens=max_tokens, ranges=ranges
    )
    if packed is not None:
        return packed
    if settled is Precision.INT8:
        message = f"model.precision int8 is not supported for {name}. Set SLUICE_MODEL__PRECISION=auto."
        raise SettingsInvalid(message)
    trial = text_trial(model, sample)
    dtype = torch.bfloat16 if settled is Precision.BFLOAT16 else torch.float32
    forward = PaddedForward(model, trial, device=device, dtype=dtype, max_tokens=max_tokens)
    fault, difference = _compare(forward, trial)
    if fault is None and difference <= ROUNDED_SCORE:
        return forward
    problem = f"{name} in {settled.value} on {device.type} " + (
        f"gives scores that differ from float32 by up to {difference:.2f}" if fault is None else f"fails: {fault}"
    )
    if settled is Precision.FLOAT32:
        message = f"{problem.removesuffix('.')}. Set SLUICE_MODEL__DEVICE=cpu, or name another model."
        raise ModelFault(message)
    if precision is Precision.AUTO:
        log.warning("%s: computing in float32, slower", problem.removesuffix("."))
        del model, forward  # the memory for the next one
        return build_forward(
            load, sample, device=device, precision=Precision.FLOAT32, max_tokens=max_tokens, threads=threads
        )
    if fault is not None:
        message = f"{problem.removesuffix('.')}. Set SLUICE_MODEL__PRECISION=auto."
        raise SettingsInvalid(message)
    log.warning("%s, as SLUICE_MODEL__PRECISION asks for", problem)
    return forward


def _try_packed(
    model: "PreTrainedModel",
    sample: Sample,
    *,
    name: str,
    device: torch.device,
    precision: Precision,
    max_tokens: int,
    ranges: Mapping[int, Ranges] | None,
) -> "Forward | None":
    encoder = describe(model, name) if sample.types is None else None
    if encoder is None:
        log.info("%s has no packed forward pass: computing sorted, padded batches", name)
        return None
    # Random ids reach further than texts do, on which fixed scales are based.
    fixed = precision is Precision.INT8 and ranges is not None
    trial = text_trial(model, sample) if fixed else random_trial(model)
    # Logits that are not finite cannot be compared; warming up the classifier reports what is wrong.
    if not torch.isfinite(trial.logits).all():
        return None
    return build_packed(
        encoder, trial, name=name, device=device, precision=precision, max_tokens=max_tokens, ranges=ranges
    )


def _compare(forward: "Forward", trial: ForwardTrial) -> tuple[str | None, float]:
    """Why `forward` cannot compute the trial, and how far its scores are from those of the trial."""
    try:
        logits = forward.logits(trial.windows)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return first_line(error), math.inf
    comparable = torch.isfinite(trial.logits)
    differences = (torch.sigmoid(logits) - torch.sigmoid(trial.logits)).abs()[comparable]
    # Not a number means that the low precision overflowed.
    return None, float(differences.nan_to_num(1.0).max()) if len(differences) else 0.0


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
    encoder: Encoder,
    trial: ForwardTrial,
    *,
    name: str,
    device: torch.device,
    precision: Precision,
    max_tokens: int,
    ranges: Mapping[int, Ranges] | None = None,
) -> PackedForward | None:
    """A packed forward pass over `encoder`, if its logits agree with `trial`; else None.

    Args:
        encoder: The model's description, float32 on the CPU.
        trial: Windows and transformers' logits for them.
        name: Name of the architecture, for the log.
        device: Where to compute.
        precision: The result of `settle_precision`.
        max_tokens: Tokens computed at once.
        ranges: What the layers reach, for int8 with scales fixed beforehand; None: scales of each row.
    """
    if device.type == "cuda" and precision is Precision.FLOAT32:
        log.info("float32 on a CUDA device: computing padded batches, because packed attention needs half precision")
        return None
    if device.type == "cuda" and varlen_options() is None:
        log.warning("torch %s has no attention over packs: computing padded batches, slower", torch.__version__)
        return None
    exact = _forward(encoder, torch.device("cpu"), Precision.FLOAT32, max_tokens)
    if not close(exact.logits(trial.windows), trial.logits, EXACT):
        log.warning("%s does not compute what its name implies: computing padded batches, which are slower", name)
        return None
    if device.type == "cpu" and precision is Precision.FLOAT32:
        return exact
    if precision is Precision.INT8 and ranges is not None:
        fixed = _fixed(encoder, ranges, max_tokens)
        if fixed is not None and close(fixed.logits(trial.windows), trial.logits, ROUNDED):
            return fixed
        log.warning(
            "the ranges that `sluice quantize` found of %s do not serve here: computing in int8 with scales of each "
            "row, slower. Run `sluice quantize` again",
            name,
        )
    forward = _forward(encoder, device, precision, max_tokens)
    if not close(forward.logits(trial.windows), trial.logits, ROUNDED):
        log.warning(
            "%s in packed %s disagrees with itself in float32: computing padded batches, which are slower",
            name,
            precision.value,
        )
        return None
    return forward


def _forward(encoder: Encoder, device: torch.device, precision: Precision, max_tokens: int) -> PackedForward:
    dtype = torch.float32 if precision is Precision.FLOAT32 else torch.bfloat16
    make_linear: MakeLinear = PlainLinear
    if precision is Precision.BFLOAT16:
        make_linear = functools.partial(bfloat16_linear, device=device, rows=max_tokens)
    elif precision is Precision.INT8:
        make_linear = functools.partial(Int8Linear, rows=max_tokens)

    def make_block(layer: Layer, _: int, last: bool) -> Block:
        return PlainBlock(layer, make_linear, heads=encoder.heads, device=device, dtype=dtype, last=last)

    return PackedForward(
        encoder,
        make_block,
        precision=precision.value,
        device=device,
        dtype=dtype,
        max_tokens=max_tokens,
        threads=torch.get_num_threads(),
    )


def _fixed(encoder: Encoder, ranges: Mapping[int, Ranges], max_tokens: int) -> PackedForward | None:
    """A forward pass in int8 with scales fixed beforehand; None where the ranges or the operators do not serve."""
    if not (fixed_scales_fit(first_places(encoder), ranges) and fixed_operators_agree()):
        return None

    def make_block(layer: Layer, place: int, last: bool) -> Block:
        return FixedBlock(layer, ranges[place], heads=encoder.heads, rows=max_tokens, last=last)

    return PackedForward(
        encoder,
        make_block,
        precision=Precision.INT8.value,
        device=torch.device("cpu"),
        dtype=torch.float32,
        max_tokens=max_tokens,
        threads=torch.get_num_threads(),
    )
