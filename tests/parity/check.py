"""Hold one family's scores against plain transformers."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
import transformers

from testkit.checkpoints import SENTENCES
from tests.parity.families import READABLE, make_family
from worker.classifier import Classifier
from worker.classifier.machine import hardware
from worker.errors import ModelFault, SettingsInvalid

TOLERANCE = 1e-5
"""Largest difference of a score in float32."""

ROUNDED = 0.02
"""Largest mean difference in bfloat16, on random weights: where experts are chosen, a single text may take another."""

TEXTS = (*READABLE, "a stupid edit of the article, again " * 10, SENTENCES[0] * 3, SENTENCES[3] + SENTENCES[5])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one family.

    Attributes:
        family: Its `model_type`.
        verdict: `right`, `refused`, `not judged` (plain transformers cannot compute it either, and the classifier was
            not asked) or `wrong`.
        remark: Why it was refused or is wrong.
        difference: Largest difference of a score from plain transformers in float32, alone or in company.
        automatic: The precision that `auto` computes in.
        rounded: Largest difference in that precision.
    """

    family: str
    verdict: str
    remark: str = ""
    difference: float = 0.0
    automatic: str = ""
    rounded: float = 0.0


def check_family(family: str) -> Outcome:
    """Make a small checkpoint of the family, and compare; `auto` is tried as on a machine that has bfloat16."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(hardware, "multiplies_bfloat16", return_value=True):
        try:
            make_family(Path(folder), family)
            expected = plain_scores(Path(folder))
        except Exception as error:  # transformers raises anything
            return Outcome(family, "not judged", f"{type(error).__name__}: {str(error).splitlines()[0][:200]}")
        return compare(family, Path(folder), expected)


def compare(family: str, folder: Path, expected: torch.Tensor) -> Outcome:
    """Load the checkpoint in both precisions, and compare with the expected scores."""
    differences: dict[str, torch.Tensor] = {}
    precision = ""
    for asked in ("float32", "auto"):
        try:
            classifier = Classifier.load(str(folder), precision=asked, cache_entries=0, canonical_view=False)
        except (ModelFault, SettingsInvalid) as error:
            return Outcome(family, "refused", str(error).replace(str(folder), "FOLDER"))
        together = scores(classifier, TEXTS)
        alone = torch.cat([scores(classifier, [text]) for text in TEXTS])
        differences[asked] = torch.stack([(got - expected).abs() for got in (together, alone)])
        precision = classifier.identity.precision
    exact, rounded = float(differences["float32"].max()), float(differences["auto"].max())
    right = exact <= TOLERANCE and differences["auto"].mean() <= ROUNDED
    return Outcome(family, "right" if right else "wrong", "", exact, str(precision), rounded)


def plain_scores(folder: Path) -> torch.Tensor:
    """Scores by plain transformers, one text at a time: float32 [texts, labels]."""
    config = transformers.AutoConfig.from_pretrained(folder)
    if getattr(config, "attention_type", None) == "block_sparse":
        config.attention_type = "original_full"  # the classifier says so at load
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, config=config, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        rows = [model.eval()(**tokenizer(text, return_tensors="pt")).logits for text in TEXTS]
    expected = torch.sigmoid(torch.cat(rows))
    if not torch.isfinite(expected).all():
        message = "plain transformers gives scores that are not finite"
        raise ValueError(message)
    return expected


def scores(classifier: Classifier, texts: "tuple[str, ...] | list[str]") -> torch.Tensor:
    """The classifier's scores: [texts, labels]."""
    return torch.tensor([list(result.scores.values()) for result in classifier.classify(list(texts))])
