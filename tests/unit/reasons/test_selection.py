"""Words become spans with shares."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.classifier.text.canonical import canonical
from worker.reasons.selection import heaviest, reasons_of
from worker.reasons.spans import Offsets
from worker.reasons.words import words_of


def named(text: str, weights: dict[str, float], relative: float = 0.0) -> list[tuple[str, float]]:
    """The spans' texts and shares, where each word weighs what is given, else nothing."""
    words = words_of(text)
    chosen = heaviest(words, [weights.get(text[begin:end], 0.0) for begin, end in words], relative)
    found = reasons_of(text, chosen, Offsets(text), None)
    return [(text[reason.span.begin : reason.span.end], reason.share) for reason in found]


def test_each_chosen_word_has_its_share_of_the_weight() -> None:
    assert named("you idiot, you liar", {"idiot": 3.0, "liar": 1.0}) == [("idiot", 0.75), ("liar", 0.25)]


def test_neighbours_are_one_span_but_not_across_a_comma() -> None:
    weights = {"stupid": 1.0, "idiotic": 1.0, "jerk": 2.0}
    assert named("You stupid, idiotic  jerk.", weights) == [("stupid", 0.25), ("idiotic  jerk", 0.75)]


def test_words_that_weigh_little_beside_the_heaviest_are_not_named() -> None:
    assert named("you idiot, you liar", {"idiot": 3.0, "liar": 1.0}, 0.5) == [("idiot", 1.0)]


def test_where_no_word_weighs_anything_none_is_named() -> None:
    assert named("you idiot", {}) == []


def test_a_word_of_the_reading_names_its_letters_as_they_were_written() -> None:
    text = "you s.t.u.p.i.d man, you 1d10t"
    reading = canonical(text)
    words = words_of(reading.text)
    weights = [float(reading.text[begin:end] in ("stupid", "idiot")) for begin, end in words]
    found = reasons_of(text, heaviest(words, weights, 0.5), Offsets(text), reading.raw_span)
    assert [text[one.span.begin : one.span.end] for one in found] == ["s.t.u.p.i.d", "1d10t"]


@pytest.mark.parametrize("view", [False, True])
@given(text=st.text(st.characters() | st.sampled_from("s t u p i d 1 0 \u202e \u200b &#117; <b> .")), data=st.data())
def test_spans_of_any_text_are_in_order_within_it_and_share_the_whole(
    view: bool, text: str, data: st.DataObject
) -> None:
    reading = canonical(text) if view else None
    words = words_of(reading.text if reading else text)
    weights = [data.draw(st.floats(0, 100)) for _ in words]
    chosen = heaviest(words, weights, data.draw(st.floats(0, 1)))
    found = reasons_of(text, chosen, Offsets(text), reading.raw_span if reading else None)
    assert all(0 <= one.span.begin < one.span.end <= len(text) for one in found)
    assert all(first.span.end <= second.span.begin for first, second in pairwise(found))
    assert bool(found) == any(weight > 0 for weight in weights)
    assert not found or sum(one.share for one in found) == pytest.approx(1, abs=1e-4 * len(found))
