"""Attention on a CPU follows the formula for windows of any length, with products of few shapes."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from worker.classifier.forward.attention import SHORT, STEP, SpanAttention
from worker.classifier.forward.packing import make_packs

HEADS, SIZE = 2, 16
LENGTHS = (130, 65, 65, 64, SHORT + 1, SHORT, SHORT, 33, 7, 1)


def by_the_formula(query_key_value: torch.Tensor, starts: list[int]) -> torch.Tensor:
    """Attention of each window separately, in float64."""
    out = torch.zeros(len(query_key_value), HEADS * SIZE, dtype=torch.float64)
    for start, length in zip(starts, LENGTHS, strict=True):
        rows = query_key_value[start : start + length].double()
        query, key, value = rows.view(length, 3, HEADS, SIZE).permute(1, 2, 0, 3)
        mixed = (query @ key.transpose(1, 2)).softmax(-1) @ value
        out[start : start + length] = mixed.transpose(0, 1).reshape(length, -1)
    return out


@pytest.mark.parametrize("tiles", [True, False], ids=["with AMX", "without AMX"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.03)])
def test_each_token_sees_only_its_own_window_of_any_length(
    dtype: torch.dtype, tolerance: float, tiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.classifier.forward.attention.multiplies_tiles", lambda: tiles)
    (pack,) = make_packs(LENGTHS, sum(LENGTHS), ladder=True)
    generator = torch.Generator().manual_seed(0)
    query_key_value = torch.randn(pack.rows, 3 * HEADS * SIZE, generator=generator).to(dtype)
    query_key_value[:, : HEADS * SIZE] *= SIZE**-0.5
    expected = by_the_formula(query_key_value, pack.starts)
    attention = SpanAttention(pack, HEADS)

    got = attention.over_tokens(query_key_value)
    assert got.dtype == dtype
    assert (got.double() - expected).abs().max() <= tolerance
    assert not got[pack.tokens :].any()

    query, key_value = query_key_value[:, : HEADS * SIZE], query_key_value[:, HEADS * SIZE :]
    first = attention.over_first(query[list(pack.first_rows)], key_value)
    assert (first[: len(LENGTHS)].double() - expected[pack.starts]).abs().max() <= tolerance
    assert torch.isfinite(first).all()


class Products(TorchDispatchMode):  # type: ignore[no-untyped-call] # untyped in the package
    """Records the shapes of the bfloat16 products that are computed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # untyped in the package
        self.shapes: set[tuple[torch.Size, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.bmm.default and args[0].dtype == torch.bfloat16:
            self.shapes.add(tuple(matrix.shape for matrix in args))
        return func(*args, **(kwargs or {}))


def test_products_of_few_shapes_serve_every_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.classifier.forward.attention.multiplies_tiles", lambda: False)
    with Products() as products:
        for length in range(1, 513):
            (pack,) = make_packs([length, length], 2 * length, ladder=True)
            rows = torch.zeros(pack.rows, 3 * HEADS * SIZE, dtype=torch.bfloat16, device="meta")  # shapes alone
            attention = SpanAttention(pack, HEADS)
            attention.over_tokens(rows)
            attention.over_first(rows[:2, : HEADS * SIZE], rows[:, : 2 * HEADS * SIZE])
    assert 0 < len(products.shapes) <= 2 * 512 // STEP
