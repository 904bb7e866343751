"""Training learns, resumes to the same weights, and ships a checkpoint that anyone can load."""

import copy
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from training import loop
from training.card import model_card
from training.data import LABELS, Comments
from training.logits import token_ids
from training.loop import Recipe, best_epoch, train
from training.model import load_model
from training.shipping import evaluate, ship

RECIPE = Recipe(epochs=3, batch_tokens=160, batch_comments=16, learning_rate=5e-3, bfloat16=False)


def comments(count: int, seed: int) -> Comments:
    """`vile` and `rotten` decide the labels, and each label occurs."""
    draw = np.random.default_rng(seed)
    words = np.array(["you", "are", "kind", "thanks", "for", "the", "help", "soul", "a", "friend"])
    texts, labels = [], np.zeros((count, 6), dtype=np.float32)
    for i in range(count):
        text = list(draw.choice(words, size=draw.integers(2, 9)))
        if i % 3 == 0:
            text.insert(0, "vile")
            labels[i, [0, 1, 2]] = 1
        if i % 5 == 0:
            text.append("rotten")
            labels[i, [0, 3, 4, 5]] = 1
        texts.append(" ".join(text))
    return Comments(texts, labels)


def run(
    folder: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, recipe: Recipe = RECIPE
) -> tuple[Path, list[str]]:
    lines: list[str] = []
    learner = copy.deepcopy(model)
    best = train(comments(120, 1), comments(60, 2), learner, tokenizer, recipe, folder, lines.append)
    return best, lines


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(AutoModelForSequenceClassification.from_pretrained(folder).state_dict())


def test_it_learns_the_words_that_decide(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    best, _ = run(tmp_path / "run", model, tokenizer, replace(RECIPE, epochs=8))
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert len(history["epochs"]) == 8
    assert max(epoch["mean_roc_auc"] for epoch in history["epochs"]) > 0.75
    assert best == best_epoch(tmp_path / "run")


class Interrupted(Exception):
    """Stands for a crash between two steps."""


def test_an_interrupted_run_ends_with_the_same_weights(
    tmp_path: Path,
    model: BertForSequenceClassification,
    tokenizer: PreTrainedTokenizerFast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unbroken, _ = run(tmp_path / "unbroken", model, tokenizer)
    ticks = iter(range(0, 1_000_000, 1000))  # every step finds its checkpoint due
    crash_after = 14

    def report(line: str) -> None:
        if f"steps={crash_after}" in line:
            raise Interrupted

    monkeypatch.setattr(loop, "REPORT_STEPS", 1)
    with pytest.raises(Interrupted):
        train(
            comments(120, 1),
            comments(60, 2),
            copy.deepcopy(model),
            tokenizer,
            RECIPE,
            tmp_path / "broken",
            report,
            clock=lambda: float(next(ticks)),
        )
    torch.manual_seed(99)
    resumed, lines = run(tmp_path / "broken", model, tokenizer)
    assert lines[0].startswith(f"resumed after {crash_after - 1} steps")
    assert resumed.name == unbroken.name
    expected = weights(unbroken)
    assert all(torch.equal(value, expected[name]) for name, value in weights(resumed).items())


def test_a_run_of_another_recipe_is_not_continued(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1))
    with pytest.raises(ValueError, match="another recipe"):
        run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1, seed=8))


def test_the_shipped_folder_loads_anywhere_and_its_card_says_what_was_measured(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    validation, out = comments(60, 2), tmp_path / "shipped"
    trained, _ = run(tmp_path / "run", model, tokenizer)
    calibration = ship(load_model(trained), tokenizer, validation, out)
    assert load_file(out / "model.safetensors")["classifier.weight"].dtype == torch.float16

    shipped = AutoModelForSequenceClassification.from_pretrained(out)
    assert shipped.dtype == torch.float32
    assert list(shipped.config.id2label.values()) == list(LABELS)
    assert shipped.config.problem_type == "multi_label_classification"
    long = "thanks " * 400
    reader = AutoTokenizer.from_pretrained(out)
    assert len(reader(long)["input_ids"]) == 402  # the source's file would have cut it to 128
    assert len(reader("thanks")["input_ids"]) == 3  # and padded this
    assert token_ids(reader, [long], 256)[0][:5] == token_ids(tokenizer, [long], 256)[0][:5]

    chosen = json.loads((out / "thresholds.json").read_text())
    assert chosen["set"] == "default@1"
    assert list(chosen["values"]) == list(LABELS)
    test = evaluate(shipped, reader, comments(40, 3), chosen["values"])
    assert test["labels"]["toxic"]["positives"] == int(comments(40, 3).labels[:, 0].sum())
    figures = {
        "splits": {"train": 120, "validation": 60, "test": 40},
        "recipe": asdict(RECIPE),
        "best_epoch": 2,
        "calibration": calibration,
        "test": test,
    }
    card = model_card(figures, 45_000_000)
    assert f"Mean ROC-AUC {test['mean_roc_auc']:.4f}" in card
    for label in LABELS:
        assert f"| {label} | {test['labels'][label]['positives']} | {test['labels'][label]['roc_auc']:.4f}" in card
