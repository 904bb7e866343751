"""Packs contain each window once, within the budget, longest first."""

from hypothesis import given
from hypothesis import strategies as st

from worker.classifier.forward.packing import COARSE_ROWS, FINE_ROWS, make_packs

LENGTHS = st.lists(st.integers(1, 512), max_size=60)


@given(LENGTHS, st.integers(1, 4096), st.booleans())
def test_each_window_is_in_one_pack_and_no_pack_is_over_budget(lengths: list[int], budget: int, ladder: bool) -> None:
    packs = list(make_packs(lengths, budget, ladder=ladder))
    assert sorted(index for pack in packs for index in pack.order) == list(range(len(lengths)))
    for pack in packs:
        assert pack.lengths == tuple(lengths[index] for index in pack.order)
        assert pack.tokens == sum(pack.lengths) <= max(budget, pack.lengths[0])
        assert len(pack.order) == 1 or pack.tokens <= budget
        assert 0 <= pack.rows - pack.tokens < (COARSE_ROWS if ladder else 1)
    assert [length for pack in packs for length in pack.lengths] == sorted(lengths, reverse=True)


@given(LENGTHS, st.integers(1, 4096))
def test_spans_cover_a_pack_without_gap(lengths: list[int], budget: int) -> None:
    for pack in make_packs(lengths, budget, ladder=True):
        row = first = 0
        for span in pack.spans:
            assert (span.row, span.first) == (row, first)
            assert set(pack.lengths[first : first + span.windows]) == {span.length}
            row, first = span.rows.stop, first + span.windows
        assert (row, first) == (pack.tokens, len(pack.order))
        assert pack.starts == [sum(pack.lengths[:index]) for index in range(len(pack.lengths))]


@given(LENGTHS, st.booleans())
def test_the_first_token_of_each_window_is_named_and_filler_names_row_0(lengths: list[int], ladder: bool) -> None:
    for pack in make_packs(lengths, 1024, ladder=ladder):
        windows = len(pack.order)
        assert list(pack.first_rows[:windows]) == pack.starts
        filler = pack.first_rows[windows:]
        assert not any(filler)
        assert len(filler) < (FINE_ROWS if ladder and windows > 1 else 1)


def test_each_lane_gets_the_same_number_of_packs() -> None:
    packs = list(make_packs([100] * 20, 768, together=2, ladder=False))
    assert [pack.tokens for pack in packs] == [500] * 4


def test_a_ladder_bounds_how_many_shapes_are_computed() -> None:
    shapes = {pack.rows for tokens in range(1, 2049) for pack in make_packs([tokens], 2048, ladder=True)}
    assert len(shapes) <= 80


def test_packs_share_the_tokens_evenly() -> None:
    packs = list(make_packs([100] * 21, 2000, ladder=False))
    assert [pack.tokens for pack in packs] == [1100, 1000]
