"""The scores agree with plain transformers, one text at a time, whichever batch a text is in.

Tolerances, on a score in [0, 1]: 1e-5 in float32; in bfloat16 0.06, and 0.01 in the mean, because its 8 bits of
mantissa show more on these random weights (logits spread by the last layer's scale) than on trained ones.
"""

import random
from pathlib import Path

import pytest
import torch
import transformers

from testkit.checkpoints import ARCHITECTURES, LABELS, SENTENCES, Checkpoints, make_checkpoint, reference_scores
from worker.classifier import Classifier
from worker.types import Classification

FLOAT32 = 1e-5
BFLOAT16 = 0.06
BFLOAT16_MEAN = 0.01

TEXTS = (
    *SENTENCES,
    "",
    "a stupid edit " * 20,
    "you",
    "🙂🙂",
    "  spaces \n and\tlines ",
    "ALL CAPS?!",
    SENTENCES[0] * 3,
)


def scores(results: list[Classification]) -> torch.Tensor:
    return torch.tensor([list(result.scores.values()) for result in results])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_scores_agree_with_plain_transformers(architecture: str, checkpoints: Checkpoints) -> None:
    folder = checkpoints(architecture)
    expected = reference_scores(folder, TEXTS)
    assert expected.std(dim=0).min() > 0.1, "the checkpoint must distinguish texts, or this test proves nothing"
    for precision, tolerance in (("float32", FLOAT32), ("bfloat16", BFLOAT16)):
        classifier = Classifier.load(str(folder), precision=precision)
        results = classifier.classify(TEXTS)
        assert classifier.identity.precision == precision
        assert [list(result.scores) for result in results] == [list(LABELS)] * len(TEXTS)
        assert [result.text.windows for result in results] == [1] * len(TEXTS)
        torch.testing.assert_close(scores(results), expected, rtol=0, atol=tolerance)
        assert (scores(results) - expected).abs().mean() < BFLOAT16_MEAN


@pytest.mark.parametrize("architecture", ["bert", "roberta", "deberta-v2"])
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", FLOAT32), ("bfloat16", BFLOAT16)])
def test_a_score_does_not_depend_on_the_batch_or_its_order(
    architecture: str, precision: str, tolerance: float, checkpoints: Checkpoints
) -> None:
    classifier = Classifier.load(str(checkpoints(architecture)), precision=precision)
    together = dict(zip(TEXTS, classifier.classify(TEXTS), strict=True))
    shuffled = random.Random(7).sample(TEXTS, len(TEXTS))
    again = dict(zip(shuffled, classifier.classify(shuffled), strict=True))
    alone = {text: classifier.classify([text])[0] for text in TEXTS}
    for other in (again, alone):
        torch.testing.assert_close(
            scores([other[text] for text in TEXTS]), scores(list(together.values())), rtol=0, atol=tolerance
        )


def test_a_small_token_budget_changes_nothing(bert: Path) -> None:
    wide = Classifier.load(str(bert), precision="float32")
    narrow = Classifier.load(str(bert), precision="float32", max_pass_tokens=64)
    torch.testing.assert_close(scores(narrow.classify(TEXTS)), scores(wide.classify(TEXTS)), rtol=0, atol=FLOAT32)


def test_one_label_and_many_labels_are_scored(tmp_path: Path) -> None:
    for labels in (("toxic",), tuple(f"kind {index}" for index in range(40))):
        folder = make_checkpoint(tmp_path / str(len(labels)), "distilbert", labels=labels)
        results = Classifier.load(str(folder), precision="float32").classify(SENTENCES)
        assert tuple(results[0].scores) == labels
        torch.testing.assert_close(scores(results), reference_scores(folder, SENTENCES), rtol=0, atol=FLOAT32)


def test_a_half_precision_checkpoint_computes_in_the_precision_asked_for(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path, "bert")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float16)
    model.save_pretrained(folder)
    results = Classifier.load(str(folder), precision="float32").classify(TEXTS)
    torch.testing.assert_close(scores(results), reference_scores(folder, TEXTS), rtol=0, atol=FLOAT32)
