"""The size of an encoder, the operations it takes, and how fast its linear layers alone are on this machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional
from transformers import AutoConfig

LINEAR_ROWS = 2048
"""Rows that these layers take at once, with all threads."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how much an encoder has to compute.

    Attributes:
        layers: Number of layers.
        hidden: Width of the rows between them.
        inner: Width within the feed-forward part.
    """

    layers: int
    hidden: int
    inner: int

    @classmethod
    def of(cls, folder: Path) -> "Shape":
        """The shape of the checkpoint in `folder`."""
        config = AutoConfig.from_pretrained(folder)
        inner = getattr(config, "intermediate_size", None) or config.hidden_dim
        return cls(config.num_hidden_layers, config.hidden_size, inner)

    @property
    def linear(self) -> list[tuple[int, int]]:
        """Inputs and outputs of a layer's linear layers; queries, keys and values are one of them."""
        hidden, inner = self.hidden, self.inner
        return [(hidden, 3 * hidden), (hidden, hidden), (hidden, inner), (inner, hidden)]

    @property
    def linear_flops(self) -> int:
        """Floating-point operations of all linear layers for one token."""
        return self.layers * sum(2 * inputs * outputs for inputs, outputs in self.linear)

    def flops(self, lengths: Sequence[int]) -> float:
        """Floating-point operations of the whole encoder for windows of these lengths: linear layers and attention."""
        attention = self.layers * 4 * self.hidden
        return float(sum(self.linear_flops * length + attention * length * length for length in lengths))


def linear_layers(shape: Shape, tokens: int) -> Callable[[], None]:
    """A run of all linear layers of this shape over so many tokens, each of random rows of its own."""
    generator = torch.Generator().manual_seed(0)

    def random_rows(rows: int, size: int) -> torch.Tensor:
        return torch.randn(rows, size, generator=generator).to(torch.bfloat16)

    layers = [
        (random_rows(min(LINEAR_ROWS, tokens), inputs), random_rows(outputs, inputs), random_rows(1, outputs)[0])
        for _ in range(shape.layers)
        for inputs, outputs in shape.linear
    ]
    counts = [min(LINEAR_ROWS, tokens - first) for first in range(0, tokens, LINEAR_ROWS)]

    @torch.inference_mode()
    def once() -> None:
        for count in counts:
            for rows, weight, bias in layers:
                functional.linear(rows[:count], weight, bias)

    once()
    return once
