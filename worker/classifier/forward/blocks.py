"""A layer of the packed forward pass, ready to compute: in float32 or bfloat16, or in int8 with scales of each row."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from worker.classifier.forward.architecture import Layer
from worker.classifier.forward.attention import Attention
from worker.classifier.forward.linears import Activation, Linear, stacked

MakeLinear = Callable[[torch.Tensor, torch.Tensor, Activation | None], Linear]
"""Makes a linear layer from a float32 weight and bias and an activation, ready for the device and precision."""

FEED_FORWARD_ROWS = 1024
"""Rows that a CPU takes through the feed-forward part at once. Its inner rows are four times as wide: twice as many
leave the cache before they are quantized (int8 is 14 % slower; bfloat16, which reads them once, is unaffected)."""


class Block(Protocol):
    """One layer: attention, add and norm, feed-forward, add and norm, over the rows of a pack."""

    def over_tokens(self, rows: torch.Tensor, attention: Attention) -> torch.Tensor:
        """The layer for every token: rows [rows, hidden] to rows [rows, hidden]."""

    def over_first(self, rows: torch.Tensor, first: torch.Tensor, attention: Attention) -> torch.Tensor:
        """The layer for each window's first token, whose rows `first` names: to rows [windows, hidden]."""


MakeBlock = Callable[[Layer, int, bool], Block]
"""Makes a block from a layer, the number of its first place in the model, and whether it is the last, of which
`over_first` is computed and nothing else."""


class Norm:
    """A layer norm on the device, in the dtype of its input; on a CPU its own weights stay in float32."""

    def __init__(self, norm: nn.LayerNorm, device: torch.device, dtype: torch.dtype) -> None:
        # The CPU kernel accepts float32 weights with bfloat16 rows, the CUDA kernel does not.
        kept = torch.float32 if device.type == "cpu" else dtype
        self._weight = norm.weight.to(device, kept)
        self._bias = norm.bias.to(device, kept)
        self._eps = norm.eps

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows [n, size] to rows [n, size]."""
        return functional.layer_norm(rows, rows.shape[-1:], self._weight, self._bias, self._eps)


class PlainBlock:
    """A block of linear layers that take and give rows of one dtype."""

    def __init__(
        self,
        layer: Layer,
        make_linear: MakeLinear,
        *,
        heads: int,
        device: torch.device,
        dtype: torch.dtype,
        last: bool,
    ) -> None:
        """Prepare the weights of `layer`.

        Args:
            layer: Its description, float32 on the CPU.
            make_linear: Makes each of its linear layers.
            heads: Heads of its attention.
            device: Where to compute.
            dtype: Type of the rows.
            last: Only the first token of each window needs queries, and what follows them.
        """
        self._split = device.type == "cpu"
        weight, bias = query_key_value(layer, heads)
        size = layer.query.out_features
        self._query_key_value = None if last else make_linear(weight, bias, None)
        self._query = make_linear(weight[:size], bias[:size], None) if last else None
        self._key_value = make_linear(weight[size:], bias[size:], None) if last else None
        self._attention_output = make_linear(*stacked([layer.attention_output]), None)
        self._attention_norm = Norm(layer.attention_norm, device, dtype)
        self._up = make_linear(*stacked([layer.up]), layer.activation)
        self._down = make_linear(*stacked([layer.down]), None)
        self._output_norm = Norm(layer.output_norm, device, dtype)

    def over_tokens(self, rows: torch.Tensor, attention: Attention) -> torch.Tensor:
        """See `Block`."""
        assert self._query_key_value is not None  # noqa: S101 - not the last layer
        return self._after(rows, attention.over_tokens(self._query_key_value(rows)))

    def over_first(self, rows: torch.Tensor, first: torch.Tensor, attention: Attention) -> torch.Tensor:
        """See `Block`."""
        assert self._query is not None and self._key_value is not None  # noqa: S101, PT018 - the last layer
        key_value = self._key_value(rows)
        rows = rows[first]
        return self._after(rows, attention.over_first(self._query(rows), key_value))

    def _after(self, rows: torch.Tensor, mixed: torch.Tensor) -> torch.Tensor:
        """What follows attention, which gave `mixed`."""
        rows = self._attention_norm(self._attention_output(mixed, rows))
        feed_forward = in_parts(self._feed_forward, rows) if self._split else self._feed_forward(rows)
        return self._output_norm(feed_forward)

    def _feed_forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self._down(self._up(rows), rows)


def in_parts(compute: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> torch.Tensor:
    """`compute` over at most FEED_FORWARD_ROWS of the rows at a time."""
    if len(rows) <= FEED_FORWARD_ROWS:
        return compute(rows)
    return torch.cat([compute(part) for part in torch.split(rows, FEED_FORWARD_ROWS)])


def query_key_value(layer: Layer, heads: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of one linear layer for a layer's queries, keys and values; queries are scaled.

    Attention divides queries by the square root of a head's size: done once, here.
    """
    weight, bias = stacked([layer.query, layer.key, layer.value])
    size = layer.query.out_features
    scale = (size // heads) ** -0.5
    weight[:size] *= scale
    bias[:size] *= scale
    return weight, bias
