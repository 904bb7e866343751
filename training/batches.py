"""Batches of about equal cost: comments of like length together, as many as a token budget holds."""

import random
from collections.abc import Sequence

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


def pad(rows: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask of `rows`, both int64 of shape [rows, longest row]."""
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), padding, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for position, row in enumerate(rows):
        ids[position, : len(row)] = torch.tensor(row)
        mask[position, : len(row)] = 1
    return ids, mask
