"""Each label has its threshold from a named set, and a score equal to the threshold is flagged."""

import json
from pathlib import Path
from typing import Any

import pytest

from testkit.checkpoints import LABELS, make_checkpoint
from worker.classifier import Classifier
from worker.classifier.checkpoint.thresholds import load_thresholds
from worker.errors import ModelFault


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_without_a_set_every_label_has_the_same_threshold(tmp_path: Path) -> None:
    assert load_thresholds(("a", "b"), tmp_path, None, 0.7) == ("threshold@0.7", {"a": 0.7, "b": 0.7})


def test_the_checkpoints_own_set_is_used_unless_a_setting_names_another(tmp_path: Path) -> None:
    write(tmp_path / "thresholds.json", {"set": "own@3", "values": {"a": 0.2, "b": 1}, "rule": "best F1"})
    assert load_thresholds(("b", "a"), tmp_path, None, 0.5) == ("own@3", {"b": 1.0, "a": 0.2})
    other = write(tmp_path / "other.json", {"set": "strict@1", "values": {"a": 0.9}})
    assert load_thresholds(("a", "b"), tmp_path, other, 0.5) == ("strict@1", {"a": 0.9, "b": 0.5})


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
    assert classifier.thresholds == ("mine@1", {"insult": 0.0})
    assert classifier.thresholds.lowest_flagged("non-toxic") > 1


@pytest.mark.parametrize("label", ["non-toxic", "NOT_HATE", "neutral", "OK", "Safe", "clean", "no hate", "none"])
def test_a_label_that_sounds_like_harmless_text_is_named_unless_it_is_never_flagged(
    label: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_thresholds((label, "insult"), tmp_path, None, 0.5)
    assert [record for record in caplog.records if label in record.getMessage()]
    caplog.clear()
    path = write(tmp_path / "set.json", {"set": "x@1", "values": {label: None}})
    assert load_thresholds((label, "insult"), tmp_path, path, 0.5).values == {"insult": 0.5}
    load_thresholds((*LABELS, "notorious", "normalised", "obscene"), tmp_path, None, 0.5)
    assert not caplog.records


def test_a_rounded_score_on_its_threshold_is_flagged_and_one_step_below_is_not(tmp_path: Path) -> None:
    text = "you are a stupid jerk"
    folder = make_checkpoint(tmp_path / "model")
    scores = Classifier.load(str(folder), precision="float32").classify([text])[0].scores
    assert all(score == round(score, 6) for score in scores.values())
    for step, expected in ((0.0, LABELS), (1e-6, ())):
        values = {label: round(score + step, 6) for label, score in scores.items()}
        path = write(tmp_path / "set.json", {"set": "edge@1", "values": values})
        classifier = Classifier.load(str(folder), precision="float32", thresholds=path)
        result = classifier.classify([text])[0]
        assert result.labels == expected
        assert result.flagged is bool(expected)
        assert classifier.thresholds == ("edge@1", values)


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
    assert load_thresholds(LABELS, tmp_path, partial, 0.99).values[LABELS[1]] == 0.99
    assert not caplog.records
