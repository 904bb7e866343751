"""Layers of 8-bit integers whose scales are fixed beforehand, so that what is wide never leaves 8 bits.

With scales of each row (`worker.classifier.forward.int8_linear`) a product has to be stretched again, activated and
measured before the next one, in passes over rows of twice the bytes: on a CPU with AMX that takes longer than the
products. With scales that are known beforehand, bias, GELU, the conversion of the four times wider inner rows to 8 bits
and the sum with what goes around are part of the product (oneDNN's post-operations). They depend on no text, so no text
changes the score of another.

What is known beforehand is the range that each channel reached on a sample of texts (`Ranges`). Three things keep the
loss as small as with scales of each row:

* A few channels of rows between layers are ten times as large as the others, in BERT and its relatives always the same
  ones. Each channel is divided by a factor of its own, and the weights that meet it multiplied by it (SmoothQuant, Xiao
  et al., arXiv 2211.10438).
* A few inner channels are, too, but lie behind an activation, which no factor passes. Those with the largest range are
  computed apart, in float32 (LLM.int8(), Dettmers et al., arXiv 2208.07339).
* Rows between layers stay in float32.
"""

import functools
from collections.abc import Mapping

import torch
from torch.nn import functional

from worker.classifier.forward.architecture import Layer
from worker.classifier.forward.attention import Attention
from worker.classifier.forward.blocks import Norm, in_parts, query_key_value
from worker.classifier.forward.int8_linear import (
    PROBE_INPUTS,
    PROBE_OUTPUTS,
    PROBE_ROWS,
    SMALLEST,
    TOLERANCE,
    Int8Weight,
)
from worker.classifier.forward.linears import Activation, close, fused_activation, stacked
from worker.classifier.forward.ranges import Ranges

LEVELS = 127
MIDDLE = 128
"""Rows are unsigned, as in `int8_linear`; zero is in the middle."""

SMOOTHING = 0.7
"""How much of a channel's range its factor takes; the rest is left to the weights. With only what goes into the
feed-forward parts of sluice-mini in 8 bits, the largest difference of a score of 400 comments is .017, with .5 .062,
without factors .067."""

APART_SHARE = 48
"""One in this many inner channels is computed apart: 32 of sluice-mini's 1,536. With only the inner rows in 8 bits the
largest difference of a score of 200 comments was .056 with 8 apart, .043 with 16, .042 with 32 and .028 with 64."""

MARGIN = 1.1
"""The inner rows may reach this many times what they reached on the sample."""


class FixedLinear:
    """A product of 8-bit rows of a known scale with 8-bit weights; bias and activation are part of it."""

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        *,
        scale: float,
        zero: int,
        rows: int,
        activation: tuple[str, str] = ("none", ""),
    ) -> None:
        """Quantize `weight` for about `rows` rows q that stand for `scale * (q - zero)`."""
        self._weight = Int8Weight.of(weight, rows)
        self._bias = bias.float()
        self._given = (scale, zero)
        no_arguments: list[float] = []
        self._activation = (activation[0], no_arguments, activation[1])

    def to(self, quantized: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """`activation(rows @ weight.T + bias)` in `dtype`."""
        return self._product(quantized, 1.0, 0, dtype)

    def to_bytes(self, quantized: torch.Tensor, scale: float, zero: int) -> torch.Tensor:
        """The same as 8-bit rows of another scale."""
        return self._product(quantized, scale, zero, torch.uint8)

    def added_to(self, rows: torch.Tensor, quantized: torch.Tensor) -> torch.Tensor:
        """`rows` and the product, for a layer without an activation, in the dtype of `rows`."""
        sums: torch.Tensor = torch.ops.onednn.qlinear_pointwise.binary(
            *(quantized, *self._given, *self._weight, rows, self._bias),
            *(1.0, 0, rows.dtype, 1.0, 0),
            *("add", 1.0, "none", [], ""),
        )
        return sums

    def _product(self, quantized: torch.Tensor, scale: float, zero: int, dtype: torch.dtype) -> torch.Tensor:
        product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            *(quantized, *self._given, *self._weight, self._bias),
            *(scale, zero, dtype),
            *self._activation,
        )
        return product


class Quantizer:
    """Rows [n, channels] to 8-bit rows, each channel by its own factor."""

    def __init__(self, ranges: torch.Tensor, weight: torch.Tensor) -> None:
        """For rows within `ranges` [channels] that meet `weight` [outputs, channels].

        Attributes:
            scale: What one step of a row stands for that was divided by the factors.
        """
        ranges = ranges.clamp(min=SMALLEST)
        met = weight.abs().amax(dim=0).clamp(min=SMALLEST)
        factors = ranges**SMOOTHING / met ** (1 - SMOOTHING)
        self._factors = factors
        self.scale = float((ranges / factors).max()) / LEVELS
        self._stretch = 1 / (factors * self.scale)
        # Half a step more, because a conversion to integers cuts off what is behind the point.
        self._middle = torch.full_like(ranges, MIDDLE + 0.5)

    def meeting(self, weight: torch.Tensor) -> torch.Tensor:
        """`weight` [outputs, channels] for rows that were divided by the factors."""
        return weight * self._factors

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows in float32 or bfloat16 to unsigned bytes; what is beyond the ranges is cut to them."""
        steps = torch.addcmul(self._middle, rows, self._stretch).clamp_(0.5, 255.5 - 2**-8)
        # torch converts to signed bytes several times as fast as to unsigned ones; the bits are the same.
        return steps.to(torch.int8).view(torch.uint8)


class FixedBlock:
    """A block in int8 with scales fixed beforehand; see `worker.classifier.forward.blocks.Block`."""

    def __init__(self, layer: Layer, ranges: Ranges, *, heads: int, rows: int, last: bool) -> None:
        """Prepare the weights of `layer` (float32) for about `rows` rows within `ranges`."""
        weight, bias = query_key_value(layer, heads)
        size = layer.query.out_features
        self._before = Quantizer(ranges.before, weight)
        before, scale = self._before.meeting(weight), self._before.scale

        def linear(part: slice) -> FixedLinear:
            return FixedLinear(before[part], bias[part], scale=scale, zero=MIDDLE, rows=rows)

        self._query_key_value = None if last else linear(slice(None))
        self._query = linear(slice(size)) if last else None
        self._key_value = linear(slice(size, None)) if last else None
        weight, bias = stacked([layer.attention_output])
        self._mixed = Quantizer(ranges.mixed, weight)
        self._attention_output = FixedLinear(
            self._mixed.meeting(weight), bias, scale=self._mixed.scale, zero=MIDDLE, rows=rows
        )
        device = torch.device("cpu")
        self._attention_norm = Norm(layer.attention_norm, device, torch.float32)
        self._feed_forward = _FeedForward(layer, ranges, rows)
        self._output_norm = Norm(layer.output_norm, device, torch.float32)

    def over_tokens(self, rows: torch.Tensor, attention: Attention) -> torch.Tensor:
        """See `Block`; rows are in float32."""
        assert self._query_key_value is not None  # noqa: S101 - not the last layer
        mixed = attention.over_tokens(self._query_key_value.to(self._before(rows), torch.bfloat16))
        return self._after(rows, mixed)

    def over_first(self, rows: torch.Tensor, first: torch.Tensor, attention: Attention) -> torch.Tensor:
        """See `Block`; rows are in float32."""
        assert self._query is not None and self._key_value is not None  # noqa: S101, PT018 - the last layer
        quantized = self._before(rows)
        key_value = self._key_value.to(quantized, torch.bfloat16)
        query = self._query.to(quantized[first], torch.bfloat16)
        return self._after(rows[first], attention.over_first(query, key_value))

    def _after(self, rows: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        rows = self._attention_norm(self._attention_output.added_to(rows, self._mixed(mixed)))
        return self._output_norm(in_parts(self._feed_forward, rows))


class _FeedForward:
    """The feed-forward part of a layer with what goes around it: rows [n, hidden] to rows [n, hidden]."""

    def __init__(self, layer: Layer, ranges: Ranges, rows: int) -> None:
        activation = fused_activation(layer.activation)
        assert activation is not None  # noqa: S101 - `fixed_scales_fit` asked
        self._activation: Activation = layer.activation
        up, up_bias = stacked([layer.up])
        down, down_bias = stacked([layer.down])
        apart = ranges.inner.topk(len(up) // APART_SHARE).indices
        self._apart_up, self._apart_up_bias = up[apart], up_bias[apart]
        self._apart_down = down[:, apart].t().contiguous()
        down = down.index_fill(1, apart, 0)
        highest = float(ranges.inner.index_fill(0, apart, 0).max()) * MARGIN
        lowest = min(float(ranges.lowest), 0.0) * MARGIN
        self._scale = max(highest - lowest, SMALLEST) / (2 * MIDDLE - 1)
        self._zero = round(-lowest / self._scale)
        self._between = Quantizer(ranges.between, up)
        self._up = FixedLinear(
            self._between.meeting(up), up_bias, scale=self._between.scale, zero=MIDDLE, rows=rows, activation=activation
        )
        self._down = FixedLinear(down, down_bias, scale=self._scale, zero=self._zero, rows=rows)

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        inner = self._up.to_bytes(self._between(rows), self._scale, self._zero)
        apart = self._activation(functional.linear(rows, self._apart_up, self._apart_up_bias))
        return self._down.added_to(torch.addmm(rows, apart, self._apart_down), inner)


def fixed_scales_fit(layers: Mapping[int, Layer], ranges: Mapping[int, Ranges]) -> bool:
    """Whether these layers can be computed with these ranges: there are as many, of their sizes, finite."""
    if layers.keys() != ranges.keys():
        return False
    return all(_fit(layer, ranges[place]) for place, layer in layers.items())


def _fit(layer: Layer, ranges: Ranges) -> bool:
    sizes = {
        "before": layer.query.in_features,
        "mixed": layer.attention_output.in_features,
        "between": layer.up.in_features,
        "inner": layer.up.out_features,
        "lowest": 1,
    }
    found = {name: getattr(ranges, name) for name in sizes}
    return fused_activation(layer.activation) is not None and all(
        found[name].shape == (size,) and bool(torch.isfinite(found[name]).all()) for name, size in sizes.items()
    )


@functools.cache
def fixed_operators_agree() -> bool:
    """Whether this CPU's operators compute what `FixedLinear` and `Quantizer` promise; tested once in a process."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(PROBE_OUTPUTS, PROBE_INPUTS, generator=generator)
    bias = torch.randn(PROBE_OUTPUTS, generator=generator)
    rows = torch.randn(PROBE_ROWS, PROBE_INPUTS, generator=generator)
    around = torch.randn(PROBE_ROWS, PROBE_OUTPUTS, generator=generator)
    wanted = functional.linear(rows, weight, bias)
    try:
        with torch.inference_mode():
            quantizer = Quantizer(rows.abs().amax(dim=0), weight)
            quantized, met = quantizer(rows), quantizer.meeting(weight)
            plain, activated = (
                FixedLinear(met, bias, scale=quantizer.scale, zero=MIDDLE, rows=PROBE_ROWS, activation=one)
                for one in (("none", ""), ("gelu", "none"))
            )
            in_bytes = activated.to_bytes(quantized, 0.1, 2).float().sub(2).mul(0.1)
            beyond = quantizer(rows.sign() * 1e4)
            pairs = (
                (plain.to(quantized, torch.bfloat16).float(), wanted),
                (plain.added_to(around, quantized), wanted + around),
                (in_bytes, functional.gelu(wanted).clamp(max=25.3)),
                (beyond.float(), torch.where(rows > 0, 255.0, 0.0)),
            )
            return all(close(got, expected, TOLERANCE) for got, expected in pairs)
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
