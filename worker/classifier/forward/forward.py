"""The interface between the code that prepares windows of tokens and the code that computes their logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

Marks = dict[int, "torch.Tensor"]
"""By index of a window what a token head says of its tokens: float32 [tokens, outputs] on the CPU."""


class Forward(Protocol):
    """A loaded model's forward pass over unpadded windows. Several threads may use it at once."""

    @property
    def precision(self) -> str:
        """The precision of the linear layers: `float32`, `bfloat16` or `int8`."""

    @property
    def padded_tokens(self) -> int:
        """Padding computed so far, in tokens; 0 for a forward pass that computes none."""

    def open_lanes(self, wanted: int | None = None) -> int:
        """From now on expect calls of several threads at once.

        Args:
            wanted: How many of them should share the CPU's threads; None: one for each.

        Returns:
            How many there should be.
        """

    def logits(self, windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:
        """Logits of each window of token ids, special tokens included: float32 [windows, labels] on the CPU.

        Rows are in input order. The implementation decides how windows are grouped and how much memory that takes;
        running out of memory raises what torch or Python raise.

        A forward pass with a token head puts into `marks` what it says of the windows that are flagged; any other
        leaves it empty.
        """
