"""Padded batches of texts sorted by length, as users of libraries without packing make them; needs no package."""

from collections.abc import Sequence

MAX_TOKENS = 512
"""Tokens after which a text is cut."""

PACK_TOKENS = 2048
"""Tokens that are computed together at most, padding included."""


def sorted_batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices for batches of at most PACK_TOKENS, padding included, longest texts first."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > PACK_TOKENS:
            batches.append([])
        batches[-1].append(index)
    return batches


def padding_share(lengths: Sequence[int], batches: Sequence[Sequence[int]]) -> float:
    """Share of the computed tokens that is padding, when each batch is padded to its longest text."""
    computed = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    return 1 - sum(lengths) / computed
