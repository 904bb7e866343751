"""Linear layers of 8-bit integers: half the bytes and twice the products of bfloat16.

Weights are quantized once, each output channel by its own largest value; activations on the fly, each row (token) by
its own largest value. One scale for the whole input would be cheaper, but then an outlier in one text would change the
scores of the texts in the same batch, and BERT's separators are such outliers (Bondarenko et al., arXiv 2109.12948).
"""

import functools
from typing import NamedTuple

import torch
from torch.nn import functional

from worker.classifier.forward.linears import Activation, PlainLinear, close
from worker.classifier.machine.hardware import multiplies_int8

WEIGHT_LEVELS = 127
ROW_LEVELS = 126
"""One below what fits: a bfloat16 product may round up past 127, and an 8-bit integer would wrap."""

ROW_ZERO = 128
"""The zero point. Rows are unsigned because VNNI multiplies unsigned by signed; for signed rows oneDNN falls back to
its reference code, which is hundreds of times slower on a CPU without AMX."""

SMALLEST = 1e-6
"""A row of zeros is divided by this instead of by zero."""

TOLERANCE = 0.05
"""Largest difference, relative to the largest value, that 8 bits on both sides may make in one product."""

PROBE_ROWS, PROBE_INPUTS, PROBE_OUTPUTS = 8, 64, 32


class Int8Weight(NamedTuple):
    """A weight in 8 bits, as oneDNN's products take it.

    Attributes:
        packed: In oneDNN's layout.
        scales: What one step of each output channel stands for.
        zeros: The zero point of each: none.
    """

    packed: torch.Tensor
    scales: torch.Tensor
    zeros: torch.Tensor

    @classmethod
    def of(cls, weight: torch.Tensor, rows: int) -> "Int8Weight":
        """Quantize `weight` (float32), each output channel by its own largest value, for about `rows` rows."""
        scales = weight.abs().amax(dim=1).clamp_(min=SMALLEST) / WEIGHT_LEVELS
        quantized = (weight / scales[:, None]).round_().to(torch.int8)
        packed = torch.ops.onednn.qlinear_prepack(quantized, [rows, weight.shape[1]])
        return cls(packed, scales, torch.zeros(len(weight), dtype=torch.int64))


class Int8Linear:
    """bfloat16 rows in and out, an 8-bit product in between; see `worker.classifier.forward.linears.Linear`."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, activation: Activation | None, rows: int) -> None:
        """Quantize `weight` (float32) for products of about `rows` rows."""
        self._weight = Int8Weight.of(weight, rows)
        self._bias = bias.to(torch.bfloat16)
        self._activation = activation

    def __call__(self, rows: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        """See `Linear`."""
        stretch = ROW_LEVELS / _largest(rows).clamp_(min=SMALLEST)
        # Signed first, then the sign bit flipped: torch converts to signed bytes six times as fast as to unsigned ones.
        quantized = (rows * stretch).round_().to(torch.int8).view(torch.uint8).bitwise_xor_(ROW_ZERO)
        product = torch.ops.onednn.qlinear_pointwise(
            *(quantized, 1.0, ROW_ZERO),
            *(*self._weight, None),
            *(1.0, 0, torch.bfloat16),
            *("none", [], ""),
        )
        out = torch.addcmul(self._bias, product, stretch.reciprocal())
        if residual is not None:
            out += residual
        return out if self._activation is None else self._activation(out)


def _largest(rows: torch.Tensor) -> torch.Tensor:
    """Largest absolute value of each row, [n, 1]; a row with a NaN gives NaN.

    Without its sign bit, a bfloat16 number compares like the integer with the same bits, four times as fast.
    """
    bits = rows.view(torch.int16).bitwise_and(0x7FFF)
    return bits.amax(dim=1, keepdim=True).view(torch.bfloat16)


@functools.cache
def int8_operators_agree() -> bool:
    """Whether this CPU multiplies 8-bit integers and oneDNN's operators agree with the plain ones; tested once."""
    if not multiplies_int8():
        return False
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(PROBE_OUTPUTS, PROBE_INPUTS, generator=generator)
    bias = torch.randn(PROBE_OUTPUTS, generator=generator)
    rows = torch.randn(PROBE_ROWS, PROBE_INPUTS, generator=generator)
    # Rows of different magnitude: each must come back at its own scale.
    rows *= torch.logspace(-1, 1, PROBE_ROWS)[:, None]
    rows[0] = 0
    try:
        with torch.inference_mode():
            got = Int8Linear(weight, bias, functional.gelu, PROBE_ROWS)(rows.to(torch.bfloat16))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
    expected = PlainLinear(weight, bias, functional.gelu)(rows)
    return all(close(one, other, TOLERANCE) for one, other in zip(got, expected, strict=True))
