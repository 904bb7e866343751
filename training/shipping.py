"""From a trained checkpoint to the folder that ships: calibrated, halved, with tokenizer and thresholds."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

from training.calibration import cross_fitted, fit_platt, fold_into
from training.data import LABELS, Comments
from training.logits import MAX_TOKENS, compute_logits, token_ids
from training.measuring import measure, sigmoid
from training.thresholds import RULE, SET_NAME, choose_thresholds
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.golden import GOLDEN_FILE, write_golden
from worker.classifier.loading.recording import record_reference
from worker.settings import ModelSettings

SEED = 7
REVISION = "1"
"""Of the embedded model; counts up with each change of what it answers."""

MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "thresholds.json",
    GOLDEN_FILE,
)


def ship(
    model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase, validation: Comments, folder: Path
) -> dict[str, Any]:
    """Calibrate `model` on `validation`, choose thresholds, and write both with the tokenizer into `folder`.

    Returns what the calibration did: slope and offset per label, figures of the validation split before and after it
    (after: cross-fitted), and the largest change of a logit by storing weights in half precision.
    """
    rows = token_ids(tokenizer, validation.texts, MAX_TOKENS)
    raw = compute_logits(model, rows, tokenizer.pad_token_id)
    platt = fit_platt(raw, validation.labels)
    calibrated = _stored(model, torch.float32)
    fold_into(calibrated, platt)
    stored = _stored(calibrated, torch.float16)
    restored = compute_logits(_stored(stored, torch.float32), rows, tokenizer.pad_token_id)
    thresholds = choose_thresholds(sigmoid(restored))
    save_checkpoint(stored, tokenizer, folder)
    threshold_set = {
        "set": SET_NAME,
        "values": dict(zip(LABELS, thresholds, strict=True)),
        "rule": RULE,
        "chosen_on": f"validation split, {len(validation)} comments at the natural rate",
        "positives": {name: int(validation.labels[:, i].sum()) for i, name in enumerate(LABELS)},
    }
    (folder / "thresholds.json").write_text(json.dumps(threshold_set, indent=2) + "\n", encoding="utf-8")
    write_golden(folder, record_reference(find_checkpoint(ModelSettings(id=str(folder)))))
    after = cross_fitted(raw, validation.labels, SEED)
    return {
        "slope": [round(float(value), 4) for value in platt.slope],
        "offset": [round(float(value), 4) for value in platt.offset],
        "validation_before": {"labels": _reliability_only(measure(validation, raw, thresholds, SEED)["labels"])},
        "validation_after": measure(validation, after, thresholds, SEED),
        "half_precision_largest_logit_change": round(float(np.abs(restored - platt.apply(raw)).max()), 4),
    }


def save_checkpoint(model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the weights, a config that loads them in float32, and the tokenizer without padding or cutting.

    The source's tokenizer file carries padding and cutting to 128 tokens, which would silently cut every longer text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.config.attention_probs_dropout_prob = model.config.hidden_dropout_prob
    model.save_pretrained(folder)
    config_file = folder / "config.json"
    config = json.loads(config_file.read_text(encoding="utf-8"))
    config["dtype"] = str(torch.float32).removeprefix("torch.")
    config["revision"] = REVISION  # what every event says of the model
    config_file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tokenizer.model_max_length = MAX_TOKENS
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.save_pretrained(folder)


def evaluate(
    model: BertForSequenceClassification,
    tokenizer: PreTrainedTokenizerBase,
    comments: Comments,
    thresholds: Mapping[str, float],
) -> dict[str, Any]:
    """The card's figures of a shipped checkpoint on `comments`, by plain `transformers` in float32."""
    rows = token_ids(tokenizer, comments.texts, MAX_TOKENS)
    logits = compute_logits(model, rows, tokenizer.pad_token_id)
    figures = measure(comments, logits, [thresholds[label] for label in LABELS], SEED)
    figures["cut_at_512_tokens"] = sum(len(row) == MAX_TOKENS for row in rows)
    return figures


def _reliability_only(labels: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What can be said of scores that the thresholds were not chosen for."""
    return {
        name: {figure: values[figure] for figure in ("positives", "calibration_error", "brier")}
        for name, values in labels.items()
    }


def _stored(model: BertForSequenceClassification, dtype: torch.dtype) -> BertForSequenceClassification:
    copied = copy.deepcopy(model)
    torch.nn.Module.to(copied, dtype=dtype)
    return copied
