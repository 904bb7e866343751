"""A comment surely in a language the model does not know says so, and a setting sends it to a person."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from testkit.checkpoints import LABELS, make_checkpoint
from worker.classifier import Classifier
from worker.classifier.checkpoint.card import stated_languages
from worker.settings import ModelSettings
from worker.verdicts import Language, Tier

pytest.importorskip("pycld2", reason="it has no wheel for this machine")

GERMAN = "Das ist wirklich eine gute Idee, und ich danke dir sehr für deine Hilfe."
ENGLISH = "Thanks for the edit, it reads much better now than it did before."
EVERYTHING = {label: {"review": 0.0, "act": 0.0} for label in LABELS}
NOTHING: dict[str, dict[str, float]] = {label: {} for label in LABELS}


def classifier(folder: Path, tiers: Any, **settings: Any) -> Classifier:
    made = make_checkpoint(folder / "model")
    path = folder / "set.json"
    path.write_text(json.dumps({"format": 2, "set": "x@1", "labels": tiers}))
    return Classifier.load(str(made), thresholds=path, languages="en", **settings)


def test_by_default_another_language_changes_nothing_but_says_so(tmp_path: Path) -> None:
    german, english = classifier(tmp_path, EVERYTHING).classify([GERMAN, ENGLISH])
    assert german.language == Language("de", reliable=True, supported=False)
    assert english.language == Language("en", reliable=True, supported=True)
    assert german.tier == english.tier == Tier.ACT


@pytest.mark.parametrize("tiers", [EVERYTHING, NOTHING], ids=["all-act", "all-clean"])
def test_a_setting_sends_every_comment_in_another_language_to_a_person(tmp_path: Path, tiers: Any) -> None:
    german, english = classifier(tmp_path, tiers, other_languages="review").classify([GERMAN, ENGLISH])
    assert (german.tier, german.acted, german.needs_review) == (Tier.REVIEW, (), True)
    assert german.labels == english.labels
    assert english.tier == (Tier.ACT if tiers is EVERYTHING else Tier.NONE)


def test_it_can_be_off(tmp_path: Path) -> None:
    (found,) = classifier(tmp_path, EVERYTHING, detect_language=False).classify([GERMAN])
    assert found.language is None


def test_a_recent_text_keeps_its_language(tmp_path: Path) -> None:
    loaded = classifier(tmp_path, EVERYTHING, cache_entries=10)
    assert loaded.classify([GERMAN]) == loaded.classify([GERMAN])


def test_review_without_detection_is_refused() -> None:
    with pytest.raises(ValidationError, match="detect_language"):
        ModelSettings(detect_language=False, other_languages="review")


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlanguage: en\n---\n# A model\n", ("en",)),
        ("---\nlanguage:\n- en\n- de\nlicense: mit\n---\n", ("en", "de")),
        ("---\nlanguage: multilingual\n---\n", None),
        ("---\nlicense: mit\n---\n", None),
        ("---\nlanguage: [1]\n---\n", None),
        ("---\nlanguage: {\n---\n", None),
        ("# A model without front matter\n---\nlanguage: en\n---\n", None),
        ("---\nlanguage: en\n", None),
        ("", None),
    ],
)
def test_the_languages_are_those_that_the_card_states(card: str, expected: Any, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card)
    assert stated_languages(tmp_path) == expected


def test_without_a_card_nothing_is_stated(tmp_path: Path) -> None:
    assert stated_languages(tmp_path) is None
