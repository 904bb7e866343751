"""A small network that reads the tokens of a flagged window: which of them carry its labels.

It reads the rows that enter the last layer. They are computed for every token anyway, so reading them costs a few
microseconds for each flagged window and nothing for the others. `training/token_head.py` makes it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional

ROUNDING = 1e-6
"""Scores are rounded to six decimals before they are compared with a threshold: how far below it a score may be."""


class HeadWeights(NamedTuple):
    """Float32 weights: two linear layers with a GELU between them.

    Attributes:
        hidden: [width, size of the model's rows].
        hidden_bias: [width].
        output: [outputs, width].
        output_bias: [outputs].
    """

    hidden: torch.Tensor
    hidden_bias: torch.Tensor
    output: torch.Tensor
    output_bias: torch.Tensor


class TokenHead:
    """Reads tokens of the windows whose score reaches a threshold.

    Args:
        weights: The network; its first output says how likely a person marks the token, each further one what the token
            adds to the logit of a label.
        flagged_from: For each of the model's labels the lowest score that is flagged; infinite where there is none.
        device: Where the model computes.
    """

    def __init__(self, weights: HeadWeights, flagged_from: Sequence[float], device: torch.device) -> None:
        self._weights = HeadWeights(*(weight.to(device) for weight in weights))
        lowest = torch.tensor(flagged_from, dtype=torch.float64)
        logits = torch.logit((lowest - ROUNDING).clamp(0, 1))
        self._lowest = torch.where(lowest > 1, torch.inf, logits).float().to(device)

    def flagged(self, logits: torch.Tensor) -> list[int]:
        """The windows that reach a threshold, given their logits [windows, labels]."""
        found: list[int] = (logits >= self._lowest).any(dim=1).nonzero().flatten().tolist()
        return found

    def read(self, rows: torch.Tensor) -> torch.Tensor:
        """What it says of the tokens with these rows [tokens, size]: float32 [tokens, outputs] on the CPU."""
        hidden = functional.gelu(functional.linear(rows.float(), self._weights.hidden, self._weights.hidden_bias))
        return functional.linear(hidden, self._weights.output, self._weights.output_bias).cpu()
