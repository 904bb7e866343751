"""Any text is read, in time linear in what is read of it, and what the quick look passes over holds nothing."""

import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.classifier.text.canonical import canonical
from worker.classifier.text.canonical.steps import BLOCK, STEPS
from worker.classifier.text.canonical.suspicion import hints

MEGABYTE = 1_000_000
SECONDS = 20
"""Of CPU for a megabyte on a busy machine; an idle one takes a fiftieth. What is quadratic takes hours."""

FLOODS = [
    "\u0301\u0323", "a\u0336", "t\u0301", "\u0651\u064e", ".", "a ", "a.b.", "s t u p i d ", "<", "<b ",
    "<b a=", "<b a='", "<!--", "&", "&a", "&#1", "[b]", "[/b]", "[b=", "\u200b", "a\u200b", "\u202e", "\u202ea",
    "\ufe0f", "ａ", "ａ ", "𝐚", "a", "aaab", "ab", "a1", "1a", "sh1t ", "@", "a@", "$", "a$ ", "а", "aа",
    "pаypal ", "сор ", "🇺", "🇺 ", "ǝɐ", "ǝ ", "ᴀ", "ᴀa", "http://", "a.", "-a", "`", "\ud800", "\x00", "ñ", "你",
    "👨\u200d", "a-b ", "' ", "'a", "Ａ１",
]  # fmt: skip
ALPHABET = st.one_of(st.characters(), st.sampled_from("aiost01@$!.-* \n<>/b&#;[]\u200b\u0301\u202eѕоａ𝐚ᴀǝ🇺"))
TEXTS = st.text(ALPHABET, max_size=80)


@pytest.mark.parametrize("flood", FLOODS, ids=ascii)
def test_a_megabyte_of_anything_is_read_in_no_time(flood: str) -> None:
    canonical("id10t stuuupid s t u p i d ѕtupid")  # tables are read
    text = flood * (MEGABYTE // len(flood)) + " id10t"

    started = time.process_time()
    canonical(text)

    assert time.process_time() - started < SECONDS


@settings(max_examples=500)
@given(TEXTS)
@example("\ud800 s t u p i d")
def test_any_text_is_read_the_same_way_each_time(text: str) -> None:
    reading = canonical(text)

    assert canonical(text) == reading
    assert (reading.text != text) <= bool(reading.transforms)


@settings(max_examples=1000)
@given(st.one_of(TEXTS, st.text(alphabet="abIO01@$!. -_*'\né", max_size=24)))
def test_a_hint_that_is_missing_is_certain(text: str) -> None:
    seen = hints(text)

    for hint, step in STEPS:
        assert seen & hint or not list(step(text))


@given(st.text(alphabet="abcdefgh ,.!?'\n0123456789-", max_size=200))
def test_edits_are_in_order_and_apart(text: str) -> None:
    for _, step in STEPS:
        edits = list(step(text))
        assert all(edit.start < edit.end or edit.replacement for edit in edits)
        assert all(before.end <= after.start for before, after in pairwise(edits))


def test_a_flood_that_nobody_sees_does_not_hide_what_comes_after_it() -> None:
    assert canonical("\u200b" * (20 * BLOCK) + "1d10t").text == "idiot"


def test_what_is_beyond_what_is_scored_stays_as_it_is() -> None:
    text = "word " * (2 * BLOCK) + "1d10t"

    assert canonical(text).text == text
    assert canonical(text, enough=len(text)).text.endswith("idiot")
