"""An event goes by the names it was told to use, all of it, and says which label of the model each of them is."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from schemas import LabelEvent
from testkit.records import ASSIGNMENT, comment_record
from worker.errors import SettingsInvalid
from worker.events.label_event import LabelEventEncoder
from worker.events.label_names import LabelNames
from worker.reasons.spans import LabelReasons, Reasons
from worker.settings import InputSettings, NamesPreset, OutputSettings
from worker.settings.configuration import load
from worker.types import Classification, Labelled, ModelIdentity, TextFacts
from worker.verdicts import MadeFor, ThresholdSet

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
ATTRIBUTES = ("TOXICITY", "SEVERE_TOXICITY", "PROFANITY", "THREAT", "INSULT", "IDENTITY_ATTACK")
MODEL = ModelIdentity("sluice-mini", "2", "sha256:" + "0f" * 32, "float32")
THRESHOLDS = ThresholdSet("default@3", dict.fromkeys(LABELS[:5], 0.5), {"toxic": 0.7}, MadeFor.THIS_MODEL)
FOUND = Classification(
    dict(zip(LABELS, (0.9, 0.1, 0.2, 0.3, 0.6, 0.4), strict=True)),
    ("toxic", "insult"),
    TextFacts(9, 1, False),
    acted=("toxic",),
    reasons=Reasons("leave-out@1", {"toxic": LabelReasons((), None), "insult": LabelReasons((), None)}),
)


def event(names: Any, labels: tuple[str, ...] = LABELS, found: Classification = FOUND) -> dict[str, Any]:
    settings = OutputSettings(label_names=names)
    encoder = LabelEventEncoder(InputSettings(), settings, MODEL, THRESHOLDS, labels, None, lambda: 0.0)
    value = encoder.encode(Labelled(comment_record("c-1", "hi"), ASSIGNMENT, "c-1", "hi", found)).value or b""
    LabelEvent.model_validate_json(value)
    written: dict[str, Any] = json.loads(value)
    return written


def test_with_the_preset_every_part_of_an_event_goes_by_perspectives_names() -> None:
    written = event("perspective")
    assert tuple(written["scores"]) == ATTRIBUTES
    assert written["scores"]["IDENTITY_ATTACK"] == 0.4
    assert written["labels"] == ["TOXICITY", "INSULT"]
    assert written["tiers"] == {"TOXICITY": "act", "INSULT": "review"}
    assert tuple(written["reasons"]["labels"]) == ("TOXICITY", "INSULT")
    assert tuple(written["thresholds"]["values"]) == ATTRIBUTES[:5]
    assert written["thresholds"]["act"] == {"TOXICITY": 0.7}
    assert written["model_labels"] == dict(zip(ATTRIBUTES, LABELS, strict=True))
    assert not set(LABELS) & _names_within({**written, "model_labels": {}})


def test_the_verdict_is_the_same_under_any_name() -> None:
    plain, renamed = event({}), event("perspective")
    of_model = renamed["model_labels"]
    assert {of_model[name]: score for name, score in renamed["scores"].items()} == plain["scores"]
    assert [of_model[name] for name in renamed["labels"]] == plain["labels"]
    assert [renamed[same] for same in ("id", "tier", "flagged", "model")] == [
        plain[same] for same in ("id", "tier", "flagged", "model")
    ]
    assert plain["model_labels"] == {}


def test_a_label_without_another_name_keeps_its_own() -> None:
    written = event({"toxic": "rude"})
    assert tuple(written["scores"]) == ("rude", *LABELS[1:])
    assert written["model_labels"] == {"rude": "toxic"}


def test_labels_may_swap_their_names() -> None:
    written = event({"toxic": "insult", "insult": "toxic"})
    assert written["scores"]["insult"] == 0.9
    assert written["tiers"] == {"insult": "act", "toxic": "review"}


def test_the_preset_knows_the_labels_of_civil_comments_and_leaves_others_as_they_are() -> None:
    names = LabelNames(NamesPreset.PERSPECTIVE, ("toxicity", "identity_attack", "Severe-Toxicity", "sexual_explicit"))
    assert names.model_labels == {
        "TOXICITY": "toxicity",
        "IDENTITY_ATTACK": "identity_attack",
        "SEVERE_TOXICITY": "Severe-Toxicity",
    }


@pytest.mark.parametrize(
    ("names", "labels", "problem"),
    [
        ({"toxik": "TOXICITY"}, LABELS, r"does not have: toxik.*labels are: toxic, severe_toxic"),
        ({"toxic": "X", "insult": "X"}, LABELS, "two labels one name: X"),
        ({"toxic": "insult"}, LABELS, "two labels one name: insult"),
        ("perspective", ("toxic", "toxicity"), "two labels one name: TOXICITY"),
        ("perspective", ("joy", "anger"), r"perspective: none of the labels is known.*joy, anger"),
    ],
)
def test_names_that_could_not_be_told_apart_or_belong_to_no_label_are_refused(
    names: Any, labels: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(SettingsInvalid, match=problem):
        LabelNames(OutputSettings(label_names=names).label_names, labels)


@pytest.mark.parametrize("wrong", ["perspectives", "toxic", '{"toxic": 1}', '{"toxic": ""}', '{"toxic"', "[]", 3])
def test_a_setting_in_another_form_says_how_to_write_it(wrong: Any) -> None:
    with pytest.raises(ValidationError, match=r"write perspective, or an object such as|not JSON"):
        OutputSettings(label_names=wrong)


def test_names_are_read_from_every_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    file = tmp_path / "sluice.toml"
    for text in ('[output]\nlabel_names = "perspective"', '[output.label_names]\ntoxic = "TOXICITY"'):
        file.write_text(text)
        assert load(file).output.label_names in (NamesPreset.PERSPECTIVE, {"toxic": "TOXICITY"})
    monkeypatch.setenv("SLUICE_OUTPUT__LABEL_NAMES", '{"toxic": "TOXICITY"}')
    assert load().output.label_names == {"toxic": "TOXICITY"}
    monkeypatch.setenv("SLUICE_OUTPUT__LABEL_NAMES", "perspective")
    assert load().output.label_names is NamesPreset.PERSPECTIVE
    assert load(flags={"output.label_names": '{"threat": "THREAT"}'}).output.label_names == {"threat": "THREAT"}


def _names_within(value: Any) -> set[str]:
    """Every name of a member and every text of a list, however deep."""
    if isinstance(value, Mapping):
        return set(value).union(*map(_names_within, value.values()))
    return set(value) if isinstance(value, list) else set()
