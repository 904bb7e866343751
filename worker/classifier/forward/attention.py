"""Attention over a pack: each token sees the tokens of its own window, without any padding."""

import functools
import inspect
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch.nn import functional

from worker.classifier.forward.packing import Pack, round_up
from worker.classifier.machine.hardware import multiplies_tiles

SHORT = 48
"""Windows of up to this many tokens compute attention in float32: a bfloat16 product of so few rows takes twice as long
in oneDNN as a float32 product in MKL."""

STEP = 32
"""Longer windows are rounded up to a multiple of this. oneDNN compiles a kernel for each shape of a product; with a
kernel for each length, compiling took a fifth of the time of a batch of four comments."""


class Attention(Protocol):
    """Attention within the windows of one pack."""

    def over_tokens(self, query_key_value: torch.Tensor) -> torch.Tensor:
        """Attention of every token: rows [rows, 3 x hidden] to rows [rows, hidden]."""

    def over_first(self, query: torch.Tensor, key_value: torch.Tensor) -> torch.Tensor:
        """Attention of each window's first token: [windows, hidden] and [rows, 2 x hidden] to [windows, hidden]."""


class SpanAttention:
    """Attention on a CPU: one step for each length in the pack or, in bfloat16 above SHORT tokens, for each window.

    Queries are already scaled. In bfloat16, two batched products around a softmax take half the time of torch's fused
    kernel, whose tiles are small products themselves; in float32 the fused kernel wins above SHORT tokens. AMX computes
    such tiles: there the fused kernel takes two thirds of the time above SHORT tokens, and no more below.
    """

    def __init__(self, pack: Pack, heads: int) -> None:
        self._spans = pack.spans
        self._heads = heads

    def over_tokens(self, query_key_value: torch.Tensor) -> torch.Tensor:
        """See `Attention`."""
        hidden = query_key_value.shape[1] // 3
        # Filler rows stay zero: they pass through the layers and must stay finite.
        out = query_key_value.new_zeros(len(query_key_value), hidden)
        for span in self._spans:
            blocks = self._by_head(query_key_value[span.rows], span.windows, 3)
            (target,) = self._by_head(out[span.rows], span.windows, 1)
            if out.dtype == torch.bfloat16 and multiplies_tiles():
                target.copy_(_attend_fused(*blocks))
            elif span.length <= SHORT or out.dtype == torch.float32:
                target.copy_(_attend(*_float32(blocks)))
            else:
                for window in range(span.windows):
                    target[window] = _attend_rounded(blocks[:, window])
        return out

    def over_first(self, query: torch.Tensor, key_value: torch.Tensor) -> torch.Tensor:
        """See `Attention`."""
        out = torch.zeros_like(query)
        for span in self._spans:
            windows = slice(span.first, span.first + span.windows)
            blocks = self._by_head(key_value[span.rows], span.windows, 2)
            first = self._by_head(query[windows], span.windows, 1)
            (target,) = self._by_head(out[windows], span.windows, 1)
            if out.dtype == torch.bfloat16 and multiplies_tiles():
                target.copy_(_attend_fused(*first, *blocks))
            else:
                target.copy_(_attend(*_float32(first), *_float32(blocks)))
        return out

    def _by_head(self, rows: torch.Tensor, windows: int, parts: int) -> torch.Tensor:
        """A view [parts, windows, heads, length, size] of rows with `parts` blocks of columns."""
        size = rows.shape[1] // parts // self._heads
        return rows.view(windows, -1, parts, self._heads, size).permute(2, 0, 3, 1, 4)


def _float32(blocks: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Blocks in float32, laid out contiguously once: otherwise each product would make its own copy."""
    return (blocks if blocks.dtype == torch.float32 else blocks.float().contiguous()).unbind()


def _attend_rounded(blocks: torch.Tensor) -> torch.Tensor:
    """Attention of one window, [3, heads, length, size] to [heads, length, size]; its rows are rounded up meanwhile."""
    parts, heads, length, size = blocks.shape
    laid_out = blocks.new_empty(parts, heads, round_up(length, STEP), size)
    laid_out[:, :, :length] = blocks
    laid_out[:, :, length:] = 0
    query, key, value = laid_out.unbind()
    scores = torch.matmul(query, key.transpose(-1, -2))
    scores[..., length:] = -torch.inf
    return torch.matmul(scores.softmax(dim=-1), value)[:, :length]


def _attend_fused(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return functional.scaled_dot_product_attention(query, key, value, scale=1.0)


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    if key.shape[-2] > SHORT:
        return _attend_fused(query, key, value)
    return torch.matmul(torch.matmul(query, key.transpose(-1, -2)).softmax(dim=-1), value)


@functools.cache
def varlen_options() -> "MappingProxyType[str, Any] | None":
    """What `varlen_attn` is told beside the pack; None where torch does not have it, or cannot be told the scale.

    Queries are already scaled. One split: a window's result then does not depend on what else is in the pack; versions
    of torch that do not know the option (2.11) never split.
    """
    try:
        from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415 - builds without CUDA may lack it
    except ImportError:
        return None
    known = inspect.signature(varlen_attn).parameters
    options = {"scale": 1.0, "num_splits": 1}
    return MappingProxyType({name: options[name] for name in options if name in known}) if "scale" in known else None


class VarlenAttention:
    """Attention on a CUDA device in half precision: one FlashAttention-2 call a pack (Dao, arXiv 2307.08691)."""

    def __init__(self, pack: Pack, heads: int, device: torch.device) -> None:
        self._heads = heads
        self._longest = pack.lengths[0]
        options = varlen_options()
        assert options is not None  # noqa: S101 - else no packed forward pass is built
        self._options = options
        bounds = torch.tensor([*pack.starts, pack.tokens], dtype=torch.int32)
        self._bounds = bounds.pin_memory().to(device, non_blocking=True)
        self._each = torch.arange(len(pack.lengths) + 1, dtype=torch.int32, device=device)

    def over_tokens(self, query_key_value: torch.Tensor) -> torch.Tensor:
        """See `Attention`."""
        query, key, value = query_key_value.view(len(query_key_value), 3, self._heads, -1).unbind(1)
        return self._varlen(query, key, value, self._bounds, self._longest)

    def over_first(self, query: torch.Tensor, key_value: torch.Tensor) -> torch.Tensor:
        """See `Attention`."""
        key, value = key_value.view(len(key_value), 2, self._heads, -1).unbind(1)
        return self._varlen(query.view(len(query), self._heads, -1), key, value, self._each, 1)

    def _varlen(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bounds: torch.Tensor, longest: int
    ) -> torch.Tensor:
        from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415 - builds without CUDA may lack it

        mixed = varlen_attn(query, key, value, bounds, self._bounds, longest, self._longest, **self._options)
        assert isinstance(mixed, torch.Tensor)  # noqa: S101 - a tuple only when more outputs are requested
        return mixed.flatten(1)
