"""The language of a text is certain or it is not, and never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.classifier.text.language import MOST_CHARACTERS, LanguageDetector
from worker.verdicts import Language

pytest.importorskip("pycld2", reason="it has no wheel for this machine")

ENGLISH = "Thanks for the edit, it reads much better now than it did before."
GERMAN = "Das ist wirklich eine gute Idee, und ich danke dir sehr für deine Hilfe."
JAPANESE = "今日はとても天気がいいので、公園へ散歩に行きました。"
KNOWN = LanguageDetector(["en"])


@pytest.mark.parametrize(("text", "code"), [(ENGLISH, "en"), (GERMAN, "de"), (JAPANESE, "ja")])
def test_a_sentence_in_one_language_is_certain(text: str, code: str) -> None:
    assert KNOWN.detect(text) == Language(code, reliable=True, supported=code == "en")


@pytest.mark.parametrize("text", ["", "lol ok", "12345 !!!", "😀😀😀", "ja gut", " \n\t"])
def test_a_short_text_is_not_certain_and_so_supported(text: str) -> None:
    found = KNOWN.detect(text)
    assert not found.reliable
    assert found.supported


def test_a_text_in_two_languages_is_not_certain() -> None:
    assert not KNOWN.detect(f"{ENGLISH} {GERMAN}").reliable


def test_short_informal_english_is_not_taken_for_scots() -> None:
    for text in ("I dinnae ken, pal, but ye should gang hame the noo", "aye lad, nae bother at aw"):
        assert KNOWN.detect(text).supported


def test_without_a_statement_of_what_the_model_knows_nothing_is_said_of_support() -> None:
    assert LanguageDetector(None).detect(GERMAN) == Language("de", reliable=True, supported=None)


def test_a_region_of_a_known_language_is_known() -> None:
    assert LanguageDetector(["de-AT", "pt_BR"]).detect(GERMAN).supported


@pytest.mark.parametrize("bad", ["\x00", "\x01", "\ud800", "\ufffe", "\ufdd0", "\U0001fffe"])
def test_characters_that_the_library_refuses_do_not_hide_the_language(bad: str) -> None:
    found = KNOWN.detect(GERMAN + bad)
    assert found.detected in ("de", None)
    assert found.detected == "de" or bad == "\U0001fffe"


def test_the_cost_of_a_long_text_is_bounded() -> None:
    assert KNOWN.detect(GERMAN * (MOST_CHARACTERS // len(GERMAN) + 1) + ENGLISH * 10_000).detected == "de"


@given(st.text(max_size=300) | st.text(st.characters(codec=None), max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    found = KNOWN.detect(text)
    assert found.supported is not None
    assert found.detected is not None or not found.reliable
