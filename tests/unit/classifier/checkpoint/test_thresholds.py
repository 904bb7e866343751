"""Each label has its tiers from a named set, and a score equal to a threshold reaches its tier."""

import json
from pathlib import Path
from typing import Any

import pytest

from testkit.checkpoints import LABELS, make_checkpoint
from worker.classifier import Classifier
from worker.classifier.checkpoint.thresholds import load_thresholds
from worker.errors import ModelFault
from worker.verdicts import MadeFor, Tier


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def loaded(labels: tuple[str, ...], folder: Path, path: Path | None, default: float) -> tuple[str, dict[str, float]]:
    """Name and lowest flagged scores of the set."""
    found = load_thresholds(labels, folder, path, default).thresholds
    return found.name, found.values


def test_without_a_set_every_label_has_the_same_threshold(tmp_path: Path) -> None:
    assert loaded(("a", "b"), tmp_path, None, 0.7) == ("threshold@0.7", {"a": 0.7, "b": 0.7})


def test_the_checkpoints_own_set_is_used_unless_a_setting_names_another(tmp_path: Path) -> None:
    write(tmp_path / "thresholds.json", {"set": "own@3", "values": {"a": 0.2, "b": 1}, "rule": "best F1"})
    assert loaded(("b", "a"), tmp_path, None, 0.5) == ("own@3", {"b": 1.0, "a": 0.2})
    other = write(tmp_path / "other.json", {"set": "strict@1", "values": {"a": 0.9}})
    assert loaded(("a", "b"), tmp_path, other, 0.5) == ("strict@1", {"a": 0.9, "b": 0.5})


def test_a_set_of_two_tiers_flags_from_the_lower_one_and_acts_from_the_other(tmp_path: Path) -> None:
    labels = {"a": {"review": 0.2, "act": 0.8}, "b": {"act": 0.9}, "c": {"review": None, "act": None}}
    path = write(tmp_path / "set.json", {"format": 2, "set": "two@1", "labels": labels, "chosen_on": {"a": 1}})
    found = load_thresholds(("c", "a", "d", "b"), tmp_path, path, 0.5).thresholds
    assert found.values == {"a": 0.2, "b": 0.9, "d": 0.5}
    assert list(found.values) == ["a", "d", "b"]
    assert found.act == {"a": 0.8, "b": 0.9}
    assert found.lowest_acted("d") > 1


def of_model(digest: str, old: bool) -> Any:
    model = {"digest": f"sha256:{digest * 64}"}
    tiers = {"values": {"a": 0.5}} if old else {"format": 2, "labels": {"a": {"review": 0.5}}}
    return {"set": "mine@1", "model": model, **tiers}


@pytest.mark.parametrize("old", [False, True], ids=["format-2", "older"])
def test_a_set_for_another_model_is_refused_unless_a_setting_allows_it_and_then_it_says_so(
    old: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "set.json", of_model("a", old))
    found = load_thresholds(("a",), tmp_path, path, 0.5)
    assert found.used_with("sha256:" + "a" * 64, foreign=False).made_for == MadeFor.THIS_MODEL
    with pytest.raises(ModelFault, match="SLUICE_MODEL__FOREIGN_THRESHOLDS") as caught:
        found.used_with("sha256:" + "b" * 64, foreign=False)
    assert str(path) in str(caught.value)
    assert not caplog.records
    assert found.used_with("sha256:" + "b" * 64, foreign=True).made_for == MadeFor.ANOTHER_MODEL
    assert "another model" in caplog.text


def test_a_set_that_names_no_model_fits_any_and_says_that_it_does_not_state_one(tmp_path: Path) -> None:
    path = write(tmp_path / "set.json", {"format": 2, "set": "mine@1", "labels": {"a": {"act": 0.5}}})
    found = load_thresholds(("a",), tmp_path, path, 0.5)
    assert found.used_with("sha256:" + "b" * 64, foreign=False).made_for == MadeFor.UNSTATED


def test_a_classifier_refuses_a_set_of_another_digest(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model", labels=("a",))
    path = write(tmp_path / "set.json", of_model("a", old=False))
    with pytest.raises(ModelFault, match="chosen for the model sha256:aaaa"):
        Classifier.load(str(folder), thresholds=path)
    classifier = Classifier.load(str(folder), thresholds=path, foreign_thresholds=True)
    assert classifier.thresholds.made_for == MadeFor.ANOTHER_MODEL


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not a threshold set"),
        ([], "not a threshold set"),
        ({"values": {"a": 0.5}}, "set: Field required"),
        ({"set": "x@1", "values": {"a": 1.5}}, "values.a"),
        ({"set": "x@1", "values": {"a": "0.5"}}, "values.a"),
        ('{"set": "x@1", "values": {"a": NaN}}', "not a threshold set"),
        ({"set": "x@1", "values": {"a": 0.5, "c": 0.5, "d": 0.5}}, "does not have: c, d"),
        ({"format": 3, "set": "x@1", "labels": {}}, "format: Input should be 2"),
        ({"set": "x@1", "labels": {"a": {}}}, "format: Field required"),
        ({"format": 2, "set": "x@1", "labels": {"a": {"review": 0.9, "act": 0.5}}}, "review = 0.9 is above act"),
        ({"format": 2, "set": "x@1", "labels": {"a": {"act": 2}}}, "labels.a.act"),
        ({"format": 2, "set": "x@1", "labels": {}, "model": {"digest": "abc"}}, "model.digest"),
    ],
)
def test_a_wrong_set_is_refused_with_every_problem(content: Any, says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "set.json", content)
    with pytest.raises(ModelFault) as caught:
        load_thresholds(("a", "b"), tmp_path, path, 0.5)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_set_that_a_setting_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="SLUICE_MODEL__THRESHOLDS"):
        load_thresholds(("a",), tmp_path, tmp_path / "absent.json", 0.5)


def test_a_label_whose_threshold_is_null_is_scored_and_never_flagged(tmp_path: Path) -> None:
    text = "What a wonderful day"
    folder = make_checkpoint(tmp_path / "model", labels=("non-toxic", "insult"))
    values = write(tmp_path / "set.json", {"set": "mine@1", "values": {"non-toxic": None, "insult": 0}})
    classifier = Classifier.load(str(folder), thresholds=values)
    (result,) = classifier.classify([text])
    assert classifier.labels == tuple(result.scores) == ("non-toxic", "insult")
    assert result.labels == ("insult",)
    assert classifier.thresholds[:2] == ("mine@1", {"insult": 0.0})
    assert classifier.thresholds.lowest_flagged("non-toxic") > 1


@pytest.mark.parametrize("label", ["non-toxic", "NOT_HATE", "neutral", "OK", "Safe", "clean", "no hate", "none"])
def test_a_label_that_sounds_like_harmless_text_is_named_unless_it_is_never_flagged(
    label: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_thresholds((label, "insult"), tmp_path, None, 0.5)
    assert [record for record in caplog.records if label in record.getMessage()]
    caplog.clear()
    path = write(tmp_path / "set.json", {"set": "x@1", "values": {label: None}})
    assert load_thresholds((label, "insult"), tmp_path, path, 0.5).thresholds.values == {"insult": 0.5}
    load_thresholds((*LABELS, "notorious", "normalised", "obscene"), tmp_path, None, 0.5)
    assert not caplog.records


def test_a_rounded_score_on_its_threshold_is_flagged_and_one_step_below_is_not(tmp_path: Path) -> None:
    text = "you are a stupid jerk"
    folder = make_checkpoint(tmp_path / "model")
    scores = Classifier.load(str(folder), precision="float32").classify([text])[0].scores
    assert all(score == round(score, 6) for score in scores.values())
    for step, expected in ((0.0, LABELS), (1e-6, ())):
        values = {label: round(score + step, 6) for label, score in scores.items()}
        labels = {label: {"review": value, "act": value} for label, value in values.items()}
        path = write(tmp_path / "set.json", {"format": 2, "set": "edge@1", "labels": labels})
        classifier = Classifier.load(str(folder), precision="float32", thresholds=path)
        result = classifier.classify([text])[0]
        assert result.labels == result.acted == expected
        assert result.flagged is bool(expected)
        assert result.tier == (Tier.ACT if expected else Tier.NONE)
        assert classifier.thresholds[:2] == ("edge@1", values)


def test_labels_are_in_the_models_order(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model", thresholds=dict.fromkeys(reversed(LABELS), 0.0))
    classifier = Classifier.load(str(folder))
    assert classifier.thresholds.name == "test@1"
    assert classifier.classify(["you"])[0].labels == LABELS


def test_a_threshold_that_the_set_leaves_no_label_for_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write(tmp_path / "whole.json", {"set": "whole@1", "values": dict.fromkeys(LABELS, 0.3)})
    load_thresholds(LABELS, tmp_path, whole, 0.5)
    assert not caplog.records
    load_thresholds(LABELS, tmp_path, whole, 0.99)
    (line,) = [record.getMessage() for record in caplog.records]
    assert "model.threshold = 0.99 changes nothing" in line
    assert "whole@1" in line
    caplog.clear()
    partial = write(tmp_path / "partial.json", {"set": "partial@1", "values": {LABELS[0]: 0.3}})
    assert load_thresholds(LABELS, tmp_path, partial, 0.99).thresholds.values[LABELS[1]] == 0.99
    assert not caplog.records
