"""Spans are counted in code points and in UTF-16 code units, and both mean the same characters."""

from hypothesis import given
from hypothesis import strategies as st

from worker.reasons.spans import Offsets

ANY_TEXT = st.text(st.characters(), min_size=1)  # lone surrogates and characters beyond the basic plane included


@given(ANY_TEXT, st.data())
def test_both_counts_cut_the_same_characters(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin + 1, len(text)))
    span = Offsets(text).span(begin, end)
    units = text.encode("utf-16-le", "surrogatepass")
    cut = units[2 * span.utf16_begin : 2 * span.utf16_end]
    assert cut == text[begin:end].encode("utf-16-le", "surrogatepass")
    assert (span.begin, span.end) == (begin, end)


def test_an_emoji_before_a_word_counts_one_code_point_and_two_units() -> None:
    assert Offsets("🙂 idiot").span(2, 7) == (2, 7, 3, 8)
