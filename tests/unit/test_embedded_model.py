"""The embedded model labels the tutorial's sentence, keeps its card's promises and agrees with plain transformers."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from testkit.common_sense import HARMLESS
from worker.classifier import Classifier
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.golden import read_golden
from worker.classifier.loading.recording import record_reference
from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS
from worker.models import embedded_model
from worker.settings import ModelSettings
from worker.verdicts import MadeFor

SENTENCE = "You are a stupid, idiotic jerk. I hate you."
LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
MAX_BYTES = 50_000_000

FLOAT32_TOLERANCE = 1e-5
OTHER_TOLERANCE = 0.05
"""Largest difference of a score in the precision that this machine chooses; bfloat16 keeps eight bits."""


@pytest.fixture(scope="module")
def folder() -> Path:
    found = embedded_model("sluice-mini")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def exact() -> Classifier:
    torch.set_num_threads(1)
    return Classifier.load("sluice-mini", precision="float32")


def test_the_tutorials_sentence_is_toxic_obscene_and_an_insult_at_once(exact: Classifier) -> None:
    (found,) = exact.classify([SENTENCE])
    assert found.labels == ("toxic", "obscene", "insult")


def test_a_friendly_text_is_not_flagged(exact: Classifier) -> None:
    assert not exact.classify(["Thanks, that helped."])[0].flagged


@pytest.mark.parametrize("text", HARMLESS)
def test_common_sense_passes(exact: Classifier, text: str) -> None:
    assert not exact.classify([text])[0].flagged


def test_scores_agree_with_plain_transformers_one_text_at_a_time(exact: Classifier, folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    texts = [comment.text for comment in read_comments(SAMPLE_COMMENTS)][:40]
    texts = [text for text in texts if len(tokenizer(text)["input_ids"]) <= 512]
    for text, found in zip(texts, exact.classify(texts), strict=True):
        with torch.inference_mode():
            expected = model(**tokenizer(text, return_tensors="pt")).logits.sigmoid()[0]
        assert list(found.scores) == [model.config.id2label[number] for number in range(len(LABELS))]
        assert torch.tensor(list(found.scores.values())).sub(expected).abs().max() < FLOAT32_TOLERANCE


def test_the_precision_chosen_on_this_machine_agrees_with_float32(exact: Classifier) -> None:
    chosen = Classifier.load("sluice-mini")
    texts = [comment.text for comment in read_comments(SAMPLE_COMMENTS)]
    for found, expected in zip(chosen.classify(texts), exact.classify(texts), strict=True):
        assert max(abs(found.scores[label] - expected.scores[label]) for label in LABELS) < OTHER_TOLERANCE


def test_the_model_has_an_identity_for_events(exact: Classifier) -> None:
    assert exact.identity[:2] == ("sluice-mini", "2")
    assert exact.labels == LABELS
    assert exact.thresholds.name == "default@3"
    assert exact.thresholds.made_for == MadeFor.THIS_MODEL
    assert set(exact.thresholds.act) == {"toxic", "obscene", "insult"}


def test_the_words_that_carry_a_label_are_named(exact: Classifier) -> None:
    (found,) = exact.classify([SENTENCE])
    assert found.reasons is not None
    assert found.reasons.method == "token-head@1"
    named = {
        label: [SENTENCE[reason.span.begin : reason.span.end] for reason in of_label.spans]
        for label, of_label in found.reasons.labels.items()
    }
    assert tuple(named) == found.labels
    assert named["insult"][0] == "stupid"
    assert not {"You", "are", "a"} & {word for spans in named.values() for span in spans for word in span.split()}


def test_a_disguised_word_is_named_as_it_is_written(exact: Classifier) -> None:
    text = "🙂 you s.t.u.p.i.d man"
    (found,) = exact.classify([text])
    assert found.reasons is not None
    span = found.reasons.labels["toxic"].spans[0].span
    assert text[span.begin : span.end] == "s.t.u.p.i.d"
    assert (span.begin, span.utf16_begin) == (6, 7)


def test_it_is_small_enough_to_ship_and_its_card_has_the_measured_figures(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MAX_BYTES
    figures = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"{figures['test']['mean_roc_auc']:.4f}" in card
    assert figures["model"]["revision"] == "2"


def test_its_golden_record_matches_transformers(folder: Path) -> None:
    checkpoint = find_checkpoint(ModelSettings())
    shipped, today = read_golden(folder, checkpoint.digest), record_reference(checkpoint)
    assert shipped is not None
    torch.testing.assert_close(torch.tensor(shipped.logits), torch.tensor(today.logits), rtol=0, atol=1e-4)
    assert replace(shipped, logits=[]) == replace(today, logits=[])


def test_a_cold_start_does_not_import_transformers() -> None:
    program = (
        "import sys; from worker.classifier import Classifier; "
        f"print(Classifier.load('sluice-mini').classify([{SENTENCE!r}])[0].labels, 'transformers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('toxic', 'obscene', 'insult') False"
