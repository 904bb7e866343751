"""How far the rows inside a model reach on a sample of texts: what scales that are fixed beforehand are made from."""

from dataclasses import dataclass, fields

import torch

from worker.classifier.forward.architecture import Encoder, Layer
from worker.classifier.forward.attention import Attention
from worker.classifier.forward.blocks import query_key_value
from worker.classifier.forward.linears import PlainLinear
from worker.classifier.forward.packed import PackedForward


@dataclass(frozen=True, slots=True)
class Ranges:
    """Largest absolute value of each channel of what one layer quantizes, over a sample of texts.

    Attributes:
        before: Of the rows that enter the layer, [hidden].
        mixed: Of what attention gives, [hidden].
        between: Of the rows between attention and feed-forward, [hidden].
        inner: Of the inner rows of the feed-forward part, [inner].
        lowest: Lowest value of the inner rows, [1]: an activation like GELU goes hardly below zero.
    """

    before: torch.Tensor
    mixed: torch.Tensor
    between: torch.Tensor
    inner: torch.Tensor
    lowest: torch.Tensor

    def wider_of(self, other: "Ranges") -> "Ranges":
        """Ranges that hold both."""
        wider = {
            field.name: torch.maximum(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
            if field.name != "lowest"
        }
        return Ranges(**wider, lowest=torch.minimum(self.lowest, other.lowest))


class WatchedBlock:
    """A block in float32 that keeps the ranges of what it computes; see `worker.classifier.forward.blocks.Block`."""

    def __init__(self, layer: Layer, number: int, found: dict[int, Ranges], heads: int) -> None:
        """Widen the ranges of the layer at `number` in `found`."""
        self._layer = layer
        self._number = number
        self._found = found
        self._query_key_value = PlainLinear(*query_key_value(layer, heads))

    def over_tokens(self, rows: torch.Tensor, attention: Attention) -> torch.Tensor:
        """See `Block`."""
        layer = self._layer
        mixed = attention.over_tokens(self._query_key_value(rows))
        between: torch.Tensor = layer.attention_norm(layer.attention_output(mixed) + rows)
        inner = layer.activation(layer.up(between))
        of_rows, of_mixed, of_between, of_inner = (part.abs().amax(dim=0) for part in (rows, mixed, between, inner))
        seen = Ranges(of_rows, of_mixed, of_between, of_inner, lowest=inner.min().view(1))
        known = self._found.get(self._number)
        self._found[self._number] = seen if known is None else known.wider_of(seen)
        after: torch.Tensor = layer.output_norm(layer.down(inner) + between)
        return after

    def over_first(self, rows: torch.Tensor, first: torch.Tensor, attention: Attention) -> torch.Tensor:
        """See `Block`; every token is watched."""
        return self.over_tokens(rows, attention)[first]


def watched(encoder: Encoder, max_tokens: int) -> tuple[PackedForward, dict[int, Ranges]]:
    """A forward pass in float32, and the ranges of what it has computed so far, by the layers' first places."""
    found: dict[int, Ranges] = {}
    forward = PackedForward(
        encoder,
        lambda layer, place, _: WatchedBlock(layer, place, found, encoder.heads),
        precision="float32",
        device=torch.device("cpu"),
        dtype=torch.float32,
        max_tokens=max_tokens,
        threads=1,  # blocks note what they see, so packs come one after another
    )
    return forward, found
