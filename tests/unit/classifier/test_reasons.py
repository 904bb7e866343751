"""A flagged text says which words carry its labels, by whatever method its checkpoint allows."""

import json
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from testkit.checkpoints import ARCHITECTURES, LABELS, SENTENCES, Checkpoints
from worker.classifier import Classifier
from worker.classifier.checkpoint.token_head_file import HEAD_FILE
from worker.classifier.logit_scorer import Evidence
from worker.errors import Poison
from worker.reasons.spans import Offsets, Reasons
from worker.types import Classification

ANY_TEXT = st.text(st.characters(), max_size=60)
DISGUISED = "you are a s t u p i d person, 🙂 1d10t"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A threshold set that flags every text for every label."""
    path = tmp_path_factory.mktemp("set") / "set.json"
    path.write_text(json.dumps({"format": 2, "set": "x@1", "labels": {label: {"review": 0.0} for label in LABELS}}))
    return path


@pytest.fixture
def headed(bert: Path, tmp_path: Path) -> Path:
    """A checkpoint with a token head, of random weights."""
    folder = tmp_path / "headed"
    folder.mkdir()
    for file in bert.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    write_head(folder, Classifier.load(str(bert), precision="float32").identity.digest)
    return folder


def write_head(folder: Path, digest: str, **said: str) -> None:
    size = json.loads((folder / "config.json").read_text())["hidden_size"]
    drawn = torch.Generator().manual_seed(0)
    weights = {
        "hidden": torch.randn(8, size, generator=drawn),
        "hidden_bias": torch.zeros(8),
        "output": torch.randn(1 + len(LABELS), 8, generator=drawn),
        "output_bias": torch.zeros(1 + len(LABELS)),
    }
    rule = {"method": "token-head@1", "least": "0.5", "relative": "0.5", "of_label": "0.2"}
    save_file(weights, folder / HEAD_FILE, metadata={"model": digest, "labels": ",".join(LABELS), **rule, **said})


def load(folder: Path, thresholds: Path, **given: Any) -> Classifier:
    return Classifier.load(str(folder), precision="float32", thresholds=thresholds, **given)


def tokens(classifier: Classifier, text: str) -> list[list[int]]:
    parts: Any = classifier._model
    encoded: list[list[int]] = parts.tokenizer.encode([text], 10)
    return encoded


def check(text: str, found: Classification) -> Reasons:
    """What holds for the reasons of any text."""
    assert found.reasons is not None
    assert tuple(found.reasons.labels) == found.labels
    for of_label in found.reasons.labels.values():
        spans = [reason.span for reason in of_label.spans]
        for span in [*spans, *([of_label.window] if of_label.window else [])]:
            assert 0 <= span.begin < span.end <= len(text)
            assert span == Offsets(text).span(span.begin, span.end)
        assert all(one.end <= other.begin for one, other in pairwise(spans))
        if spans:
            assert sum(reason.share for reason in of_label.spans) == pytest.approx(1, abs=1e-3)
    return found.reasons


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_leaving_out_explains_texts_for_every_architecture(
    checkpoints: Checkpoints, everything: Path, architecture: str
) -> None:
    classifier = load(checkpoints(architecture), everything, reasons="on")
    for text, found in zip(SENTENCES, classifier.classify(SENTENCES), strict=True):
        assert check(text, found).method == "leave-out@1"


@pytest.mark.parametrize(("reasons", "method"), [("auto", None), ("off", None), ("on", "leave-out@1")])
def test_without_a_token_head_words_are_left_out_only_where_that_is_asked_for(
    bert: Path, everything: Path, reasons: str, method: str | None
) -> None:
    (found,) = load(bert, everything, reasons=reasons).classify([SENTENCES[0]])
    assert (found.reasons and found.reasons.method) == method


@pytest.mark.parametrize(
    ("reasons", "method"),
    [("auto", "token-head@1"), ("on", "token-head@1"), ("leave-out", "leave-out@1"), ("off", None)],
)
def test_a_token_head_is_used_where_the_settings_allow_it(
    headed: Path, everything: Path, reasons: str, method: str | None
) -> None:
    for text, found in zip(SENTENCES, load(headed, everything, reasons=reasons).classify(SENTENCES), strict=True):
        assert (found.reasons and check(text, found).method) == method


def test_a_token_head_changes_no_score_and_no_digest(bert: Path, headed: Path, everything: Path) -> None:
    plain, read = load(bert, everything), load(headed, everything)
    assert plain.identity.digest == read.identity.digest
    assert [one.scores for one in plain.classify(SENTENCES)] == [one.scores for one in read.classify(SENTENCES)]


@pytest.mark.parametrize("said", [{"model": "sha256:" + "0" * 64}, {"labels": "a,b"}, {"least": "much"}])
def test_a_token_head_that_does_not_fit_is_reported_and_not_used(
    headed: Path, everything: Path, said: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    write_head(headed, said.pop("model", load(headed, everything).identity.digest), **said)
    with caplog.at_level(logging.WARNING):
        classifier = load(headed, everything, reasons="on")
    assert HEAD_FILE in caplog.text
    (found,) = classifier.classify([SENTENCES[0]])
    assert check(SENTENCES[0], found).method == "leave-out@1"


def test_the_words_of_a_text_do_not_depend_on_its_batch(headed: Path, everything: Path) -> None:
    classifier = load(headed, everything)
    together = [one.reasons for one in classifier.classify(SENTENCES)]
    alone = [classifier.classify([text])[0].reasons for text in SENTENCES]
    for one, other in zip(together, alone, strict=True):
        assert one is not None
        assert other is not None
        for label, of_label in one.labels.items():
            assert [r.span for r in of_label.spans] == [r.span for r in other.labels[label].spans]


@pytest.mark.parametrize("reasons", ["auto", "leave-out"])
def test_a_long_text_names_the_window_of_each_labels_score_and_words_within_it(
    headed: Path, everything: Path, reasons: str
) -> None:
    classifier = load(headed, everything, reasons=reasons, max_window_tokens=40, window_overlap_tokens=8)
    # Words of one token each: a window begins and ends between words, and can be read again as a text of its own.
    words = [word for word in " ".join(SENTENCES).split() if [len(ids) for ids in tokens(classifier, word)] == [1]]
    text = " ".join(words * 8)
    (found,) = classifier.classify([text])
    assert found.text.windows > 2
    for label, of_label in check(text, found).labels.items():
        window = of_label.window
        assert window is not None
        assert all(window.begin <= r.span.begin and r.span.end <= window.end for r in of_label.spans)
        (again,) = load(headed, everything, reasons="off").classify([text[window.begin : window.end]])
        assert again.scores[label] == pytest.approx(found.scores[label], abs=1e-5)


def test_words_of_the_canonical_reading_are_named_where_they_are_written(bert: Path, everything: Path) -> None:
    classifier = load(bert, everything, reasons="leave-out")
    explainer: Any = classifier._explainer
    (encoded,) = classifier.encode([DISGUISED])
    assert encoded.view is not None
    second = Evidence((1,) * len(LABELS), {})
    found = classifier.classify([DISGUISED])[0]._replace(reasons=explainer.explain(DISGUISED, LABELS, 1, second))
    written = {"you", "are", "a", "s t u p i d", "person", "🙂", "1d10t"}
    for of_label in check(DISGUISED, found).labels.values():
        for reason in of_label.spans:
            name = DISGUISED[reason.span.begin : reason.span.end]
            assert not set(name.replace("s t u p i d", "").split()) - written


@pytest.mark.parametrize("reasons", ["auto", "leave-out"])
def test_any_text_is_labelled_with_reasons_and_without_an_error(headed: Path, everything: Path, reasons: str) -> None:
    classifier = load(headed, everything, reasons=reasons, reason_tokens=512, cache_entries=0)

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
    @given(ANY_TEXT | st.sampled_from(["", " ", "\ud800", "🖕" * 40, "a" * 300, "s t u p i d \u202e <b>", "\x00"]))
    def holds(text: str) -> None:
        check(text, classifier.classify([text])[0])

    holds()


def test_a_text_keeps_its_labels_where_leaving_out_fails(
    headed: Path, everything: Path, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = load(headed, everything, reasons="leave-out")
    explainer: Any = classifier._explainer

    class Failing:
        def logits(self, windows: Any) -> torch.Tensor:
            message = f"the forward pass failed on {len(windows)} windows"
            raise Poison(message)

    explainer._forward = Failing()
    (found,) = classifier.classify([SENTENCES[0]])
    assert found.labels == LABELS
    assert found.reasons is None
    assert "reasons" in caplog.text
    assert "stupid" not in caplog.text


def test_a_text_that_is_not_flagged_has_no_reasons(headed: Path, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"format": 2, "set": "x@1", "labels": {label: {} for label in LABELS}}))
    assert all(found.reasons is None for found in load(headed, path, reasons="on").classify(SENTENCES))


def test_a_recent_text_keeps_its_reasons(headed: Path, everything: Path) -> None:
    classifier = load(headed, everything, cache_entries=4)
    assert classifier.classify([SENTENCES[0]]) == classifier.classify([SENTENCES[0]])
