"""Batches of about equal cost: comments of like length together, as many as a token budget holds."""

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

LENGTH_JITTER_TOKENS = 8
"""How far a comment may move in the order of lengths, so that no two epochs have the same batches."""


def plan(
    lengths: Sequence[int], max_tokens: int, max_comments: int, shuffle: random.Random | None = None
) -> list[list[int]]:
    """Indices of the comments in each batch; every comment is in exactly one.

    A batch costs its longest comment times its size, padding included, and stays within `max_tokens` (one comment
    longer than that travels alone). With `shuffle`, lengths are jittered and the batches come in random order.
    """
    if shuffle is None:
        order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    else:
        keys = [length + shuffle.random() * LENGTH_JITTER_TOKENS for length in lengths]
        order = sorted(range(len(lengths)), key=lambda i: keys[i])
    batches: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for i in order:
        if current and (max(longest, lengths[i]) * (len(current) + 1) > max_tokens or len(current) >= max_comments):
            batches.append(current)
            current, longest = [], 0
        current.append(i)
        longest = max(longest, lengths[i])
    if current:
        batches.append(current)
    if shuffle is not None:
        shuffle.shuffle(batches)
    return batches


class DeviceBatches:
    """The token ids of many comments on a device, and the batches that are made of them there.

    Everything is moved once; making a batch neither copies from the host nor waits for the device.
    """

    def __init__(
        self, rows: Sequence[Sequence[int]], batches: Sequence[Sequence[int]], padding: int, device: torch.device
    ) -> None:
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        tokens = np.concatenate([np.asarray(row, dtype=np.int32) for row in rows])
        self.padding = padding
        self.widths = [int(lengths[list(batch)].max()) for batch in batches]
        self.bounds = np.cumsum([0, *(len(batch) for batch in batches)]).tolist()
        self.order = torch.from_numpy(np.concatenate([np.asarray(batch, dtype=np.int64) for batch in batches])).to(
            device
        )
        self.tokens = torch.from_numpy(tokens).to(device)
        self.lengths = torch.from_numpy(lengths).to(device)
        self.starts = torch.cumsum(self.lengths, 0) - self.lengths

    def __len__(self) -> int:
        return len(self.widths)

    def rows(self, batch: int) -> Tensor:
        """Indices of the comments of a batch, on the device."""
        return self.order[self.bounds[batch] : self.bounds[batch + 1]]

    def make(self, batch: int) -> tuple[Tensor, Tensor]:
        """Token ids and attention mask of a batch, both int64 of shape [comments, longest comment]."""
        rows = self.rows(batch)
        columns = torch.arange(self.widths[batch], device=rows.device)
        mask = columns < self.lengths[rows, None]
        places = (self.starts[rows, None] + columns).clamp(max=len(self.tokens) - 1)
        return torch.where(mask, self.tokens[places].long(), self.padding), mask.long()
