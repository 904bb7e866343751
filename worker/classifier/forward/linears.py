"""Linear layers that compute `activation(x @ weight.T + bias + residual)` in one step, where the machine can.

A GELU after a bfloat16 product of 2,048 rows takes longer than the product: its input has left the cache. oneDNN
applies activation and residual to a tile while it is still in registers, and takes weights in its own blocked layout,
reordered once. torch exposes it through the operators its compiler emits (`mkldnn::_linear_pointwise`). They are not
documented, so each is tested against the plain computation before it is used.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

Activation = Callable[[torch.Tensor], torch.Tensor]

TOLERANCE = 0.03
"""Largest difference, relative to the largest value, that bfloat16 (8 bits of mantissa) may make in one product."""

PROBE_ROWS, PROBE_INPUTS, PROBE_OUTPUTS = 8, 64, 32


class Linear(Protocol):
    """A linear layer with its activation: rows [n, inputs] to rows [n, outputs]."""

    def __call__(self, rows: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        """`activation(rows @ weight.T + bias)`; a layer without an activation may add `residual`."""


class PlainLinear:
    """A layer that calls `torch.nn.functional.linear`, in the dtype of its weight."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, activation: Activation | None = None) -> None:
        self._weight = weight
        self._bias = bias
        self._activation = activation

    def __call__(self, rows: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        """See `Linear`."""
        out = functional.linear(rows, self._weight, self._bias)
        if residual is not None:
            out += residual
        return out if self._activation is None else self._activation(out)


class CudaLinear:
    """A bfloat16 layer on a CUDA device; a GELU is computed as cuBLASLt ends the product, by its tanh formula.

    A GELU of its own reads and writes the widest rows once more, which takes 11 % of a forward pass of BERT-base on an
    H200. The two formulas differ by less than 5e-4: the largest difference of a score from float32 was .0028 with this
    one, .0031 with the exact one.
    """

    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor, activation: Activation | None, device: torch.device
    ) -> None:
        self._weight = weight.to(device, torch.bfloat16).t()
        self._bias = bias.to(device, torch.bfloat16)
        self._gelu = activation is not None and fused_activation(activation) in (("gelu", "none"), ("gelu", "tanh"))
        self._activation = None if self._gelu else activation

    def __call__(self, rows: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        """See `Linear`."""
        if self._gelu:
            return torch._addmm_activation(self._bias, rows, self._weight, use_gelu=True)  # noqa: SLF001 - it has no public name
        out = torch.addmm(self._bias, rows, self._weight)
        if residual is not None:
            out += residual
        return out if self._activation is None else self._activation(out)


class PackedLinear:
    """A bfloat16 layer with weights in oneDNN's layout; activation and residual are part of the product."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, activation: Activation | None, rows: int) -> None:
        """Reorder `weight` for products of about `rows` rows."""
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.to(torch.bfloat16), rows)  # noqa: SLF001 - the one way
        self._bias = bias.to(torch.bfloat16)
        fused = fused_activation(activation)
        self._fused = fused if fused is not None else NO_ACTIVATION
        self._activation = None if fused is not None else activation

    def __call__(self, rows: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        """See `Linear`."""
        out: torch.Tensor
        if residual is not None:
            return torch.ops.mkldnn._linear_pointwise.binary(rows, residual, self._weight, self._bias, "add")  # type: ignore[no-any-return]  # noqa: SLF001 - it has no public name
        out = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, self._fused[0], [], self._fused[1])  # noqa: SLF001 - it has no public name
        return out if self._activation is None else self._activation(out)


NO_ACTIVATION = ("none", "")


def fused_activation(activation: Activation | None) -> tuple[str, str] | None:
    """Name and algorithm that oneDNN has for an activation; None when it has none."""
    if activation is None:
        return NO_ACTIVATION
    # transformers has a class for each formula; comparing results is the most reliable way to identify it.
    points = torch.linspace(-4, 4, 33)
    formulas: dict[tuple[str, str], Activation] = {
        ("gelu", "none"): functional.gelu,
        ("gelu", "tanh"): functools.partial(functional.gelu, approximate="tanh"),
        ("relu", ""): functional.relu,
    }
    for name, formula in formulas.items():
        if torch.allclose(activation(points), formula(points), rtol=0, atol=1e-6):
            return name
    return None


def bfloat16_linear(
    weight: torch.Tensor, bias: torch.Tensor, activation: Activation | None, *, device: torch.device, rows: int
) -> Linear:
    """A bfloat16 layer: fused on a CUDA device and on a CPU whose operators pass their test, plain elsewhere."""
    if device.type == "cuda":
        return CudaLinear(weight, bias, activation, device)
    if packed_operators_agree():
        return PackedLinear(weight, bias, activation, rows)
    return PlainLinear(weight.to(torch.bfloat16), bias.to(torch.bfloat16), activation)


@functools.cache
def packed_operators_agree() -> bool:
    """Whether oneDNN's fused operators exist here and agree with the plain ones; tested once in a process."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(PROBE_OUTPUTS, PROBE_INPUTS, generator=generator)
    bias = torch.randn(PROBE_OUTPUTS, generator=generator)
    rows = torch.randn(PROBE_ROWS, PROBE_INPUTS, generator=generator)
    residual = torch.randn(PROBE_ROWS, PROBE_OUTPUTS, generator=generator)
    small = [tensor.to(torch.bfloat16) for tensor in (rows, residual)]
    try:
        with torch.inference_mode():
            for activation in (None, functional.gelu, functional.relu):
                got = PackedLinear(weight, bias, activation, PROBE_ROWS)(small[0])
                if not close(got, PlainLinear(weight, bias, activation)(rows), TOLERANCE):
                    return False
            got = PackedLinear(weight, bias, None, PROBE_ROWS)(small[0], small[1])
            return close(got, PlainLinear(weight, bias)(rows, residual), TOLERANCE)
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float) -> bool:
    """Whether no value differs by more than `tolerance` of the largest."""
    scale = float(expected.abs().max())
    return bool(torch.isfinite(got).all()) and float((got.float() - expected).abs().max()) <= tolerance * scale


def stacked(linears: Sequence[nn.Linear]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of one layer that computes several layers of the same input side by side."""
    weights: list[torch.Tensor] = [linear.weight for linear in linears]
    biases: list[torch.Tensor] = [
        linear.weight.new_zeros(linear.out_features) if linear.bias is None else linear.bias for linear in linears
    ]
    return torch.cat(weights), torch.cat(biases)
