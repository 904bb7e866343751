"""Turns a trained student into the folder that ships: calibrated, in half precision, with everything it needs."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.calibration import Platt, cross_fitted, fit_platt, fold_into
from training.corpus import Corpus
from training.data import Comments
from training.logits import MAX_TOKENS, compute_logits, token_ids
from training.measuring import acted_on, measure, sigmoid
from training.model import load_model, load_tokenizer
from training.probes import operating_point, probe
from training.thresholds import choose_set, lowest_acted, lowest_flagged
from worker.classifier.checkpoint.checkpoint import Checkpoint, find_checkpoint
from worker.classifier.checkpoint.golden import GOLDEN_FILE, write_golden
from worker.classifier.loading.recording import record_reference
from worker.quality.figures import Vector
from worker.settings import ModelSettings, Precision
from worker.types import ModelIdentity

SEED = 7
EMBEDDED_NAME = "sluice-mini"
REVISION = "2"
"""Revision of the embedded model; increases with every change to its answers."""

HALF_PRECISION_COMMENTS = 64
"""Number of comments on which storing weights in half precision is checked."""

MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "thresholds.json",
    GOLDEN_FILE,
)


def ship(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    validation: Comments,
    raw: Vector,
    folder: Path,
    *,
    source: Path,
    today: date,
) -> tuple[Platt, dict[str, Any]]:
    """Calibrate `model` on its logits `raw` for `validation`, choose thresholds, and write the model to `folder`.

    The threshold set names `source`, the file that `validation` is from, and `today`.

    Returns the calibration and its effect: slope and offset per label, figures for the validation split before and
    after it (after: cross-fitted), and the largest change in a logit from storing weights in half precision.
    """
    platt = fit_platt(raw, validation.labels)
    calibrated = _stored(model, torch.float32)
    fold_into(calibrated, platt)
    stored = _stored(calibrated, torch.float16)
    sample = token_ids(tokenizer, validation.texts[:HALF_PRECISION_COMMENTS], MAX_TOKENS)
    restored = compute_logits(_stored(stored, torch.float32), sample, tokenizer.pad_token_id)
    save_checkpoint(stored, tokenizer, folder)
    identity = ModelIdentity(EMBEDDED_NAME, REVISION, _checkpoint(folder).digest(), Precision.FLOAT32)
    threshold_set = choose_set(identity, validation, sigmoid(platt.apply(raw)), source, today)
    (folder / "thresholds.json").write_text(json.dumps(threshold_set, indent=2) + "\n", encoding="utf-8")
    thresholds = lowest_flagged(threshold_set)
    record_golden(folder)
    after = cross_fitted(raw, validation.labels, SEED)
    expected = platt.apply(raw[: len(sample)])
    return platt, {
        "slope": [round(float(value), 4) for value in platt.slope],
        "offset": [round(float(value), 4) for value in platt.offset],
        "validation_before": {"labels": _reliability_only(measure(validation, raw, thresholds, SEED)["labels"])},
        "validation_after": measure(validation, after, thresholds, SEED),
        "half_precision_comments": len(sample),
        "half_precision_largest_logit_change": round(float(np.abs(restored - expected).max()), 4),
    }


def save_checkpoint(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the weights, a config that loads them in float32, and the tokenizer without padding or truncation.

    The source's tokenizer file pads and truncates to 128 tokens, which would silently cut every longer text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.config.attention_probs_dropout_prob = model.config.hidden_dropout_prob
    model.save_pretrained(folder)
    config_file = folder / "config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    config["dtype"] = str(torch.float32).removeprefix("torch.")
    config["revision"] = REVISION  # included in every event
    config_file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tokenizer.model_max_length = MAX_TOKENS
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.save_pretrained(folder)


def record_golden(folder: Path) -> Path:
    """Record what `transformers` answers for the model in `folder`, beside its weights."""
    return write_golden(folder, record_reference(_checkpoint(folder)))


def evaluate_folder(folder: Path, comments: Comments) -> dict[str, Any]:
    """The card's figures of a shipped checkpoint on `comments`, by plain `transformers` in float32."""
    logits, cut = _logits(folder, comments.texts)
    return measure_test(comments, logits, folder) | {"cut_at_512_tokens": cut}


def probe_folder(folder: Path, kept: Corpus, validation: Comments) -> dict[str, Any]:
    """What a shipped checkpoint lets through and catches among the held-out texts and the validation split."""
    thresholds = read_thresholds(folder)
    return {
        "kept": probe(kept, _logits(folder, kept.texts)[0], thresholds),
        "validation": operating_point(validation, _logits(folder, validation.texts)[0], thresholds),
    }


def measure_all(comments: Comments, logits: Vector, thresholds: list[float]) -> dict[str, Any]:
    """Figures for each label, and for the set of thresholds as a whole."""
    return measure(comments, logits, thresholds, SEED) | {"set": operating_point(comments, logits, thresholds)}


def measure_test(comments: Comments, logits: Vector, folder: Path) -> dict[str, Any]:
    """The same with the thresholds of a shipped checkpoint, and what its tier act does."""
    acted = acted_on(comments, logits, lowest_acted(_set_of(folder)))
    return measure_all(comments, logits, read_thresholds(folder)) | {"act": acted}


def read_thresholds(folder: Path) -> list[float]:
    """The score from which a shipped checkpoint flags each label, in the order of `LABELS`."""
    return lowest_flagged(_set_of(folder))


def _set_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "thresholds.json").read_text(encoding="utf-8"))
    return content


def _checkpoint(folder: Path) -> Checkpoint:
    return find_checkpoint(ModelSettings(id=str(folder.absolute())))


def _logits(folder: Path, texts: list[str]) -> tuple[Vector, int]:
    """Logits, and how many texts were cut."""
    tokenizer = load_tokenizer(folder)
    rows = token_ids(tokenizer, texts, MAX_TOKENS)
    logits = compute_logits(load_model(folder), rows, tokenizer.pad_token_id)
    return logits, sum(len(row) == MAX_TOKENS for row in rows)


def _reliability_only(labels: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The figures that are meaningful for scores the thresholds were not chosen for."""
    return {
        name: {figure: values[figure] for figure in ("positives", "calibration_error", "brier")}
        for name, values in labels.items()
    }


def _stored(model: PreTrainedModel, dtype: torch.dtype) -> PreTrainedModel:
    copied = copy.deepcopy(model)
    torch.nn.Module.to(copied, dtype=dtype)
    return copied
