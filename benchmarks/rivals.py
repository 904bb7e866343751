"""The ways to score a list of comments that `classify` compares, each written as its documentation shows it.

Every rival turns texts into scores, so tokenizing is included. All of them cut a text at the model's 512 tokens.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from benchmarks.padded_batches import MAX_TOKENS, PACK_TOKENS, sorted_batches
from worker.classifier import Classifier
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.int8_ranges import write_ranges
from worker.classifier.loading.range_finding import find_ranges
from worker.settings import ModelSettings

Score = Callable[[Sequence[str]], torch.Tensor]
"""Texts to scores, float32 [texts, labels], in order."""


class Transformers:
    """Plain transformers on one checkpoint: the tutorial's loop, the pipeline, and sorted, padded batches."""

    def __init__(self, folder: Path, dtype: torch.dtype) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype).eval()

    def loop(self, texts: Sequence[str]) -> torch.Tensor:
        """Score one text at a time, as model cards show it."""
        rows = []
        with torch.inference_mode():
            for text in texts:
                encoded = self._tokenizer(text, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
                rows.append(torch.sigmoid(self._model(**encoded).logits.float()))
        return torch.cat(rows)

    def pipeline(self, batch_size: int, device: str = "cpu") -> Score:
        """A scorer by `transformers.pipeline` with this batch size; it pads each batch to its longest text."""
        classify = transformers.pipeline(
            "text-classification", model=self._model, tokenizer=self._tokenizer, device=device, batch_size=batch_size
        )
        names = list(self._model.config.id2label.values())

        def score(texts: Sequence[str]) -> torch.Tensor:
            found: Any = classify(
                list(texts), top_k=None, function_to_apply="sigmoid", truncation=True, max_length=MAX_TOKENS
            )
            by_name = [{entry["label"]: entry["score"] for entry in entries} for entries in found]
            return torch.tensor([[row[name] for name in names] for row in by_name])

        return score

    def sorted_padded(self, texts: Sequence[str]) -> torch.Tensor:
        """Tokenize all texts together, sort them by length, and pad them in batches of at most PACK_TOKENS."""
        ids = self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"]
        result: torch.Tensor | None = None
        with torch.inference_mode():
            for batch in sorted_batches([len(row) for row in ids]):
                padded = self._tokenizer.pad({"input_ids": [ids[index] for index in batch]}, return_tensors="pt")
                scores = torch.sigmoid(self._model(**padded).logits.float())
                result = torch.empty(len(ids), scores.shape[1]) if result is None else result
                result[batch] = scores
        assert result is not None  # noqa: S101 - there are texts
        return result


def with_ranges(folder: Path, target: Path, texts: Sequence[str]) -> Path:
    """A copy of the checkpoint with the ranges that `sluice quantize` would find on these texts."""
    shutil.copytree(folder, target)
    settings = ModelSettings(id=str(target), max_window_tokens=MAX_TOKENS, max_windows=1, multi_label=True)
    checkpoint = find_checkpoint(settings)
    if ranges := find_ranges(checkpoint, settings, texts):
        write_ranges(target, checkpoint.digest(), ranges)
    return target


def sluice(folder: Path, precision: str) -> Classifier:
    """Sluice's classifier. int8 is not gated here, because random weights have no quality to lose."""
    return Classifier.load(
        str(folder),
        gated=False,
        precision=precision,
        max_pass_tokens=PACK_TOKENS,
        max_window_tokens=MAX_TOKENS,
        max_windows=1,
        multi_label=True,
    )


def score_with(classifier: Classifier) -> Score:
    """A scorer that returns the classifier's scores as a tensor."""

    def score(texts: Sequence[str]) -> torch.Tensor:
        return torch.tensor([list(result.scores.values()) for result in classifier.classify(texts)])

    return score
