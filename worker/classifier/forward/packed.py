"""The forward pass that computes no padding: linear layers over `[tokens, hidden]`, attention within each window.

The idea comes from Effective Transformer and from unpadding in FlashAttention-based encoders (Zeng et al., "Boosting
Distributed Training Performance of the Unpadded BERT Model", arXiv 2208.08124); here it runs on a CPU with torch alone.
"""

from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from worker.classifier.forward.architecture import Embeddings, Encoder, Layer
from worker.classifier.forward.attention import Attention, SpanAttention, VarlenAttention
from worker.classifier.forward.forward import Marks
from worker.classifier.forward.linears import Activation, Linear, stacked
from worker.classifier.forward.packing import Pack, make_packs
from worker.classifier.forward.parallel_packs import ParallelPacks
from worker.classifier.forward.token_head import TokenHead

MakeLinear = Callable[[torch.Tensor, torch.Tensor, Activation | None], Linear]
"""Makes a linear layer from a float32 weight and bias and an activation, ready for the device and precision."""

FEED_FORWARD_ROWS = 1024
"""Rows that a CPU takes through the feed-forward part at once. Its inner rows are four times as wide: twice as many
leave the cache before they are quantized (int8 is 14 % slower; bfloat16, which reads them once, is unaffected)."""


class _Norm:
    """A layer norm on the device, in the dtype of its input; on a CPU its own weights stay in float32."""

    def __init__(self, norm: nn.LayerNorm, device: torch.device, dtype: torch.dtype) -> None:
        # The CPU kernel accepts float32 weights with bfloat16 rows, the CUDA kernel does not.
        kept = torch.float32 if device.type == "cpu" else dtype
        self._weight = norm.weight.to(device, kept)
        self._bias = norm.bias.to(device, kept)
        self._eps = norm.eps

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(rows, rows.shape[-1:], self._weight, self._bias, self._eps)


class _Block(NamedTuple):
    """A layer ready to compute; the last layer has separate `query` and `key_value`, because it has few queries."""

    query_key_value: Linear | None
    query: Linear | None
    key_value: Linear | None
    attention_output: Linear
    attention_norm: _Norm
    up: Linear
    down: Linear
    output_norm: _Norm


class PackedForward:
    """A forward pass over packs within a token budget; see `worker.classifier.forward.forward.Forward`.

    The last layer computes only keys and values for all tokens; the rest is computed for each window's first token,
    which is all the head reads.
    """

    def __init__(
        self,
        encoder: Encoder,
        make_linear: MakeLinear,
        *,
        precision: str,
        device: torch.device,
        dtype: torch.dtype,
        max_tokens: int,
        threads: int,
    ) -> None:
        """Prepare the weights of `encoder`; its embeddings are shared, not copied.

        Args:
            encoder: The model's description, float32 on the CPU.
            make_linear: Makes each layer but the head's.
            precision: Precision of the layers that `make_linear` makes, as events name it.
            device: Where to compute.
            dtype: Type of the rows between the linear layers. Embeddings, norms and the head compute in float32.
            max_tokens: Tokens computed at once; a longer window is computed alone.
            threads: CPU threads, which compute packs side by side where there is enough work for each.
        """
        self._precision = precision
        self._device = device
        self._dtype = dtype
        self._max_tokens = max_tokens
        self._lanes = ParallelPacks(threads) if device.type == "cpu" else None
        self._heads = encoder.heads
        self._embed = _Embed(encoder.embeddings, device, dtype)
        self._blocks = self._prepare(encoder, make_linear)
        self._dense = encoder.head.dense.to(device)
        self._head_activation = encoder.head.activation
        self._output = encoder.head.output.to(device)
        self._filler_rows = 0
        self._token_head: TokenHead | None = None

    @property
    def precision(self) -> str:
        """The precision of the linear layers."""
        return self._precision

    @property
    def padded_tokens(self) -> int:
        """Filler rows computed so far; see `worker.classifier.forward.packing`."""
        return self._filler_rows

    def read_tokens_with(self, head: TokenHead) -> None:
        """From now on let `head` read the tokens of flagged windows."""
        self._token_head = head

    def logits(self, windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:
        """Logits of each window: float32 [windows, labels] on the CPU, in input order.

        `marks` takes what the token head, if there is one, says of the flagged windows.
        """
        result = torch.empty(len(windows), self._output.out_features)
        if not windows:
            return result
        lengths = [len(window) for window in windows]
        if self._lanes is not None:
            lanes = self._lanes.worth(lengths)
            pack_tokens = self._lanes.pack_tokens(lanes, self._max_tokens)
            packs = list(make_packs(lengths, pack_tokens, lanes=lanes, ladder=True))
            rows = self._lanes.compute(lambda pack: self._compute(pack, windows, marks), packs, lanes)
        else:
            packs = list(make_packs(lengths, self._max_tokens, ladder=False))
            # All packs are queued on the device before the first result is awaited.
            rows = [self._compute(pack, windows, marks) for pack in packs]
        result[[index for pack in packs for index in pack.order]] = torch.cat(rows).to("cpu", torch.float32)
        self._filler_rows += sum(pack.rows - pack.tokens for pack in packs)
        return result

    @torch.inference_mode()
    def _compute(self, pack: Pack, windows: Sequence[Sequence[int]], marks: Marks | None) -> torch.Tensor:
        attention: Attention
        if self._device.type == "cuda":
            attention = VarlenAttention(pack, self._heads, self._device)
        else:
            attention = SpanAttention(pack, self._heads)
        rows = self._embed(pack, windows)
        first = _on(torch.tensor(pack.first_rows), self._device)
        for block in self._blocks:
            if block.query_key_value is not None:
                mixed = attention.over_tokens(block.query_key_value(rows))
            else:
                assert block.query is not None and block.key_value is not None  # noqa: S101, PT018 - the last layer
                states, key_value = rows, block.key_value(rows)
                rows = rows[first]
                mixed = attention.over_first(block.query(rows), key_value)
            rows = block.attention_norm(block.attention_output(mixed, rows))
            rows = block.output_norm(self._feed_forward(block, rows))
        hidden = self._head_activation(self._dense(rows.float()))
        logits: torch.Tensor = self._output(hidden)[: len(pack.order)]
        if self._token_head is not None and marks is not None:
            for place in self._token_head.flagged(logits):
                start = pack.first_rows[place]
                marks[pack.order[place]] = self._token_head.read(states[start : start + pack.lengths[place]])
        return logits

    def _feed_forward(self, block: _Block, rows: torch.Tensor) -> torch.Tensor:
        if self._device.type == "cuda" or len(rows) <= FEED_FORWARD_ROWS:
            return block.down(block.up(rows), rows)
        return torch.cat([block.down(block.up(part), part) for part in torch.split(rows, FEED_FORWARD_ROWS)])

    def _prepare(self, encoder: Encoder, make_linear: MakeLinear) -> list[_Block]:
        """Blocks in running order; layers that share weights share a block."""
        made: dict[tuple[int, bool], _Block] = {}
        blocks = []
        for index, layer in enumerate(encoder.layers):
            key = (id(layer), index == len(encoder.layers) - 1)
            if key not in made:
                made[key] = self._block(layer, make_linear, last=key[1])
            blocks.append(made[key])
        return blocks

    def _block(self, layer: Layer, make_linear: MakeLinear, *, last: bool) -> _Block:
        weight, bias = stacked([layer.query, layer.key, layer.value])
        size = layer.query.out_features
        # Attention divides queries by the square root of a head's size: done once, here.
        scale = (size // self._heads) ** -0.5
        weight[:size] *= scale
        bias[:size] *= scale
        return _Block(
            None if last else make_linear(weight, bias, None),
            make_linear(weight[:size], bias[:size], None) if last else None,
            make_linear(weight[size:], bias[size:], None) if last else None,
            make_linear(*stacked([layer.attention_output]), None),
            _Norm(layer.attention_norm, self._device, self._dtype),
            make_linear(*stacked([layer.up]), layer.activation),
            make_linear(*stacked([layer.down]), None),
            _Norm(layer.output_norm, self._device, self._dtype),
        )


class _Embed:
    """Turns token ids into the rows of the first layer, computed in float32."""

    def __init__(self, embeddings: Embeddings, device: torch.device, dtype: torch.dtype) -> None:
        self._words = embeddings.words.to(device)
        self._positions = embeddings.positions.to(device)
        self._norm = _Norm(embeddings.norm, device, torch.float32)
        self._projection = None if embeddings.projection is None else embeddings.projection.to(device)
        self._padding = embeddings.padding
        self._device = device
        self._dtype = dtype

    def __call__(self, pack: Pack, windows: Sequence[Sequence[int]]) -> torch.Tensor:
        listed = list(chain.from_iterable(windows[index] for index in pack.order))
        listed.extend([0] * (pack.rows - pack.tokens))
        # By way of an array a tensor of a list takes a seventh of the time: what a GPU would have waited for most.
        ids = _on(torch.frombuffer(array("q", listed), dtype=torch.long), self._device)
        positions = self._positions_of(ids, pack)
        rows = functional.embedding(ids, self._words).float() + functional.embedding(positions, self._positions)
        rows = self._norm(rows)
        if self._projection is not None:
            rows = self._projection(rows)
        return rows.to(self._dtype)

    def _positions_of(self, ids: torch.Tensor, pack: Pack) -> torch.Tensor:
        """Position of each token in its own window; 0 for filler."""
        positions = torch.zeros(pack.rows, dtype=torch.long, device=self._device)
        lengths = _on(torch.tensor(pack.lengths), self._device)
        starts = _on(torch.tensor(pack.starts), self._device)
        if self._padding is None:
            before = starts.repeat_interleave(lengths, output_size=pack.tokens)
            positions[: pack.tokens] = torch.arange(pack.tokens, device=self._device) - before
            return positions
        counted = ids[: pack.tokens] != self._padding
        running = counted.cumsum(0)
        before = (running[starts] - counted[starts].long()).repeat_interleave(lengths, output_size=pack.tokens)
        positions[: pack.tokens] = (running - before) * counted + self._padding
        return positions


def _on(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on the device, by a copy that the host does not wait for."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
