"""Training learns, resumes to the same weights, and ships a checkpoint that anyone can load."""

import copy
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from training import loop
from training.blending import blend
from training.corpus import Corpus
from training.data import LABELS, Comments
from training.logits import token_ids
from training.loop import Recipe, train
from training.model import load_model
from training.shipping import evaluate_folder, probe_folder, ship
from training.teaching import score_texts
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.thresholds import load_thresholds
from worker.settings import ModelSettings

RECIPE = Recipe(epochs=3, batch_tokens=160, batch_comments=16, learning_rate=5e-3, noise_share=0.15, bfloat16=False)


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


def corpus(count: int, seed: int) -> Corpus:
    made = comments(count, seed)
    known = np.ones_like(made.labels)
    return Corpus(made.texts, ["challenge"] * count, made.labels, known, np.ones(count, dtype=np.float32))


def run(
    folder: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast, recipe: Recipe = RECIPE
) -> tuple[Path, list[str]]:
    lines: list[str] = []
    learner = copy.deepcopy(model)
    trained = train(corpus(120, 1), frozenset(), comments(60, 2), learner, tokenizer, recipe, folder, lines.append)
    return trained, lines


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(AutoModelForSequenceClassification.from_pretrained(folder).state_dict())


def test_it_learns_the_words_that_decide(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    trained, _ = run(tmp_path / "run", model, tokenizer, replace(RECIPE, epochs=8))
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert len(history["epochs"]) == 8
    assert max(epoch["mean_roc_auc"] for epoch in history["epochs"]) > 0.75
    assert trained == tmp_path / "run" / "trained"


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
            corpus(120, 1),
            frozenset(),
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
    expected = weights(unbroken)
    assert all(torch.equal(value, expected[name]) for name, value in weights(resumed).items())


def test_a_run_of_another_recipe_is_not_continued(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1))
    with pytest.raises(ValueError, match="another recipe"):
        run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1, seed=8))


def test_a_finished_run_is_not_trained_again(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    first, _ = run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1))
    again, lines = run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1))
    assert first == again
    assert not lines


def test_frozen_layers_and_embeddings_stay_as_they_are_and_the_rest_learns(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    trained, _ = run(tmp_path, model, tokenizer, replace(RECIPE, epochs=1, frozen_layers=1))
    changed = {name for name, weight in weights(trained).items() if not torch.equal(weight, before[name])}
    assert not [name for name in changed if "embeddings" in name or ".layer.0." in name]
    assert any(".layer.1." in name for name in changed)
    assert any("classifier" in name for name in changed)


def test_epochs_prepared_by_workers_give_the_same_weights(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    alone, _ = run(tmp_path / "alone", model, tokenizer)
    made = train(
        corpus(120, 1),
        frozenset(),
        comments(60, 2),
        copy.deepcopy(model),
        tokenizer,
        RECIPE,
        tmp_path / "helped",
        lambda _: None,
        workers=1,
    )
    expected = weights(alone)
    assert all(torch.equal(value, expected[name]) for name, value in weights(made).items())


def test_the_shipped_folder_loads_anywhere(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    validation, out = comments(60, 2), tmp_path / "shipped"
    trained, _ = run(tmp_path / "run", model, tokenizer)
    raw = score_texts(trained, validation.texts, 512, bfloat16=False).astype(float)
    source = tmp_path / "validation.csv"
    source.write_text("text", encoding="utf-8")
    ship(load_model(trained), tokenizer, validation, raw, out, source=source, today=date(2026, 11, 26))
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
    assert list(chosen["labels"]) == list(LABELS)
    assert load_thresholds(LABELS, out, None, 0.5).used_with(
        find_checkpoint(ModelSettings(id=str(out))).digest(), foreign=False
    )
    test = evaluate_folder(out, comments(40, 3))
    assert test["labels"]["toxic"]["positives"] == int(comments(40, 3).labels[:, 0].sum())
    found = probe_folder(out, corpus(40, 3), validation)
    assert found["kept"]["challenge"]["harmless"] + found["kept"]["challenge"]["abusive"] == 40


def test_a_blend_lies_between_its_two_and_another_architecture_is_refused(
    tmp_path: Path, model: BertForSequenceClassification, tokenizer: PreTrainedTokenizerFast
) -> None:
    one, _ = run(tmp_path / "one", model, tokenizer, replace(RECIPE, epochs=1))
    other, _ = run(tmp_path / "other", model, tokenizer, replace(RECIPE, epochs=1, seed=8))
    blend(one, other, 0.25, tmp_path / "blended")
    for name, weight in weights(tmp_path / "blended").items():
        torch.testing.assert_close(weight, 0.75 * weights(one)[name] + 0.25 * weights(other)[name])
    wider = BertForSequenceClassification(
        BertConfig(id2label=dict(enumerate(LABELS)), vocab_size=64, hidden_size=32, num_attention_heads=2)
    )
    wider.save_pretrained(tmp_path / "wider")
    with pytest.raises(ValueError, match="another architecture"):
        blend(one, tmp_path / "wider", 0.25, tmp_path / "refused")
    with pytest.raises(ValueError, match="between 0 and 1"):
        blend(one, other, 1.25, tmp_path / "refused")
