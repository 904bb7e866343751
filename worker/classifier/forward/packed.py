"""The forward pass that computes no padding: linear layers over `[tokens, hidden]`, attention within each window.

The idea comes from Effective Transformer and from unpadding in FlashAttention-based encoders (Zeng et al., "Boosting
Distributed Training Performance of the Unpadded BERT Model", arXiv 2208.08124); here it runs on a CPU with torch alone.
"""

import threading
from array import array
from collections.abc import Sequence
from itertools import chain

import torch
from torch.nn import functional

from worker.classifier.forward.architecture import Embeddings, Encoder, Layer
from worker.classifier.forward.attention import Attention, SpanAttention, VarlenAttention
from worker.classifier.forward.blocks import Block, MakeBlock, Norm
from worker.classifier.forward.forward import Marks
from worker.classifier.forward.lanes import Lanes
from worker.classifier.forward.packing import Pack, make_packs
from worker.classifier.forward.parallel_packs import ParallelPacks
from worker.classifier.forward.token_head import TokenHead


class PackedForward:
    """A forward pass over packs within a token budget; see `worker.classifier.forward.forward.Forward`.

    The last layer computes only keys and values for all tokens; the rest is computed for each window's first token,
    which is all the head reads.
    """

    def __init__(
        self,
        encoder: Encoder,
        make_block: MakeBlock,
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
            make_block: Makes each layer.
            precision: Precision of the linear layers in them, as events name it.
            device: Where to compute.
            dtype: Type of the rows between the layers. Embeddings, norms and the head compute in float32.
            max_tokens: Tokens computed at once; a longer window is computed alone.
            threads: CPU threads, which compute packs side by side where there is enough work for each.
        """
        self._precision = precision
        self._device = device
        self._dtype = dtype
        self._max_tokens = max_tokens
        self._parallel = ParallelPacks(threads) if device.type == "cpu" else None
        self._lanes: Lanes | None = None
        self._heads = encoder.heads
        self._embed = _Embed(encoder.embeddings, device, dtype)
        self._blocks = self._prepare(encoder, make_block)
        self._dense = encoder.head.dense.to(device)
        self._head_activation = encoder.head.activation
        self._output = encoder.head.output.to(device)
        self._counting = threading.Lock()
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

    def open_lanes(self, wanted: int | None = None) -> int:
        """See `worker.classifier.forward.forward.Forward`; on another device than the CPU there is one."""
        if self._parallel is None:
            return 1
        self._lanes = Lanes(self._parallel.threads, wanted)
        return self._lanes.count

    def logits(self, windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:
        """Logits of each window: float32 [windows, labels] on the CPU, in input order.

        `marks` takes what the token head, if there is one, says of the flagged windows.
        """
        result = torch.empty(len(windows), self._output.out_features)
        if not windows:
            return result
        lengths = [len(window) for window in windows]

        def compute(pack: Pack) -> torch.Tensor:
            return self._compute(pack, windows, marks)

        if self._lanes is not None:
            packs = list(make_packs(lengths, self._lanes.pack_tokens(self._max_tokens), ladder=True))
            rows = self._lanes.compute(compute, packs)
        elif self._parallel is not None:
            together = self._parallel.worth(lengths)
            pack_tokens = self._parallel.pack_tokens(together, self._max_tokens)
            packs = list(make_packs(lengths, pack_tokens, together=together, ladder=True))
            rows = self._parallel.compute(compute, packs, together)
        else:
            packs = list(make_packs(lengths, self._max_tokens, ladder=False))
            # All packs are queued on the device before the first result is awaited.
            rows = [compute(pack) for pack in packs]
        result[[index for pack in packs for index in pack.order]] = torch.cat(rows).to("cpu", torch.float32)
        with self._counting:
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
        for block in self._blocks[:-1]:
            rows = block.over_tokens(rows, attention)
        states, rows = rows, self._blocks[-1].over_first(rows, first, attention)
        hidden = self._head_activation(self._dense(rows.float()))
        logits: torch.Tensor = self._output(hidden)[: len(pack.order)]
        if self._token_head is not None and marks is not None:
            for place in self._token_head.flagged(logits):
                start = pack.first_rows[place]
                marks[pack.order[place]] = self._token_head.read(states[start : start + pack.lengths[place]])
        return logits

    def _prepare(self, encoder: Encoder, make_block: MakeBlock) -> list[Block]:
        """Blocks in running order; layers that share weights share a block."""
        last = len(encoder.layers) - 1
        places = first_places(encoder)
        made = {place: make_block(layer, place, place == last) for place, layer in places.items()}
        of_layer = {id(layer): made[place] for place, layer in places.items() if place != last}
        return [*(of_layer[id(layer)] for layer in encoder.layers[:-1]), made[last]]


def first_places(encoder: Encoder) -> dict[int, Layer]:
    """The layers by their first place in the model, the last one by its own: of it less is computed."""
    first: dict[int, int] = {}
    for number, layer in enumerate(encoder.layers[:-1]):
        first.setdefault(id(layer), number)
    return {number: encoder.layers[number] for number in (*first.values(), len(encoder.layers) - 1)}


class _Embed:
    """Turns token ids into the rows of the first layer, computed in float32."""

    def __init__(self, embeddings: Embeddings, device: torch.device, dtype: torch.dtype) -> None:
        self._words = embeddings.words.to(device)
        self._positions = embeddings.positions.to(device)
        self._norm = Norm(embeddings.norm, device, torch.float32)
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
