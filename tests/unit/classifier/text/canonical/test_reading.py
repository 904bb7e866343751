"""The way back: each stretch of a reading has its place in the text as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.classifier.text.canonical import canonical
from worker.classifier.text.canonical.reading import Edit, Reading, Stretch
from worker.classifier.text.canonical.steps import BLOCK


def where(written: str, word: str) -> str:
    """The part of the written text that the word of its reading came from."""
    reading = canonical(written)
    begin = reading.text.index(word)
    start, end = reading.raw_span(begin, begin + len(word))
    return written[start:end]


@pytest.mark.parametrize(
    ("written", "word", "part"),
    [
        ("you are s t u p i d, ok", "stupid", "s t u p i d"),
        ("you are s t u p i d, ok", "ok", "ok"),
        ("y o u a r e s t u p i d", "are", "a r e"),
        ("so st&#117;pid and d0mb, id10t!", "stupid", "st&#117;pid"),
        ("so st&#117;pid and d0mb, id10t!", "idiot", "id10t"),
        ("a 𝐬𝐭𝐮𝐩𝐢𝐝 one", "tup", "𝐭𝐮𝐩"),
        ("<b>st\u200bup1d</b> man", "stupid", "st\u200bup1d"),
        ("ѕ t u р і d man", "stupid", "ѕ t u р і d"),
        ("plain text", "text", "text"),
    ],
)
def test_a_word_of_the_reading_leads_back_to_what_was_written(written: str, word: str, part: str) -> None:
    assert where(written, word) == part


def test_the_way_back_holds_beyond_the_first_block() -> None:
    written = "a few words more " * (BLOCK // 10) + "id10t"

    reading = canonical(written, enough=len(written))

    assert reading.raw_span(len(reading.text) - 5, len(reading.text)) == (len(written) - 5, len(written))
    assert reading.text.endswith("idiot")


@pytest.mark.parametrize(("begin", "end"), [(0, 0), (-1, 2), (3, 2), (0, 6)])
def test_a_span_outside_the_reading_is_refused(begin: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a span of a reading"):
        canonical("id10t").raw_span(begin, end)


@given(st.text(alphabet="s tu.p1d<b>/&;#7\u200b\u0301ѕａ", max_size=60))
def test_every_character_of_a_reading_comes_from_somewhere_and_in_order(written: str) -> None:
    reading = canonical(written)

    spans = [reading.raw_span(at, at + 1) for at in range(len(reading.text))]

    assert all(0 <= start < end <= len(written) for start, end in spans)
    assert spans == sorted(spans)


@given(st.text(max_size=30), st.data())
def test_layers_compose(text: str, data: st.DataObject) -> None:
    """A character that no edit touched leads back to itself."""
    stretch = Stretch(0, text)
    for _ in range(data.draw(st.integers(0, 3))):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stretch.text)), max_size=6, unique=True)))
        pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
        edits = [Edit(start, end, data.draw(st.text(alphabet="\0", max_size=3)), "test") for start, end in pairs]
        if edits:
            stretch = stretch.rewritten(edits)
    reading = Reading.of(text, [stretch])

    for at, character in enumerate(reading.text):
        start, end = reading.raw_span(at, at + 1)
        if character != "\0":
            assert text[start:end] == character
