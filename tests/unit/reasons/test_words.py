"""Words are what a reason may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.reasons.words import words_of

ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You're a f*cking, sh!tty l0ser!", ["You're", "a", "f*cking", "sh!tty", "l0ser"]),
        ("well-known", ["well", "known"]),
        ("go away🖕🏽now 👨‍👩‍👧", ["go", "away", "🖕🏽", "now", "👨‍👩‍👧"]),
        ("你好 мир", ["你", "好", "мир"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("  ?!? ", ["?!?"]),
        (" \n", []),
        ("", []),
    ],
)
def test_words_are_found_as_a_reader_sees_them(text: str, words: list[str]) -> None:
    assert [text[begin:end] for begin, end in words_of(text)] == words


@given(ANY_TEXT, st.data())
def test_words_of_any_part_are_in_order_within_it_and_not_empty(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    last = begin
    for first, after in words_of(text, begin, end):
        assert last <= first < after <= end
        last = after
