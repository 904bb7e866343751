"""The language of a text is certain or it is not, and never an error."""

import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from worker.classifier.text.language import MOST_CHARACTERS, LanguageDetector, detector_for
from worker.errors import SettingsInvalid
from worker.settings import ModelSettings, OtherLanguages
from worker.verdicts import Language

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


@pytest.fixture
def _without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycld2", None)


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_labels_all_the_same_and_says_what_to_do(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert detector_for(ModelSettings(), ["en"]) is None
    (said,) = caplog.messages
    assert "pip install pycld2" in said
    assert "SLUICE_MODEL__DETECT_LANGUAGE=false" in said


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_cannot_promise_that_other_languages_are_reviewed() -> None:
    with pytest.raises(SettingsInvalid, match=r"other_languages = review needs pycld2.*pip install pycld2"):
        detector_for(ModelSettings(other_languages=OtherLanguages.REVIEW), ["en"])


@pytest.mark.usefixtures("_without_the_library")
def test_a_machine_without_the_library_says_nothing_when_detection_is_off(caplog: pytest.LogCaptureFixture) -> None:
    assert detector_for(ModelSettings(detect_language=False), ["en"]) is None
    assert not caplog.messages


@pytest.mark.parametrize(
    ("system", "machine", "required"),
    [
        ("linux", "x86_64", True),
        ("darwin", "arm64", True),
        ("win32", "AMD64", True),
        ("linux", "aarch64", False),
        ("linux", "armv7l", False),
        ("darwin", "x86_64", False),
        ("win32", "ARM64", False),
    ],
)
def test_the_library_is_required_only_where_it_has_a_wheel(system: str, machine: str, required: bool) -> None:
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())["project"]
    (requirement,) = (one for one in map(Requirement, project["dependencies"]) if one.name == "pycld2")
    assert requirement.marker is not None
    assert requirement.marker.evaluate({"sys_platform": system, "platform_machine": machine}) is required
