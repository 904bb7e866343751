"""A release of the embedded model: everything in its folder, from a trained student and its scores."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.card import model_card
from training.data import Comments, read_splits
from training.logits import MAX_TOKENS, token_ids
from training.loop import HISTORY_FILE, TRAINED_FOLDER
from training.model import load_model, load_tokenizer
from training.probes import probe
from training.shipping import EMBEDDED_NAME, MODEL_FILES, REVISION, measure_all, measure_test, read_thresholds, ship
from training.sources import gather
from training.teaching import read_scores
from worker.quality.figures import Vector


def release(data: Path, run: Path, scores: Path, folder: Path) -> dict[str, Any]:
    """Write model, thresholds, figures and card into `folder`; what a person wants to see first is returned.

    `scores` is the file that `score --measure` wrote for the run: the student's logits on validation, on what was kept
    apart, and on test. A text it lacks is left out, so that a random part can be measured first; the figures say how
    many there were. Calibration and thresholds come from validation alone; test is looked at last.
    """

    def raw(texts: list[str]) -> Vector:
        return read_scores([scores], texts).astype(float)

    splits = read_splits(data)
    sources = gather(data, splits.train)
    validation, test = _part(splits.validation, raw), _part(splits.test, raw)
    kept = sources.kept.part(_known(raw(sources.kept.texts)))
    trained = run / TRAINED_FOLDER
    tokenizer = load_tokenizer(trained)
    cut = sum(len(row) == MAX_TOKENS for row in token_ids(tokenizer, test.texts, MAX_TOKENS))
    platt, calibration = ship(
        load_model(trained),
        tokenizer,
        validation,
        raw(validation.texts),
        folder,
        source=data / "validation.csv",
        today=datetime.now(UTC).date(),
    )
    thresholds = read_thresholds(folder)

    def logits(texts: list[str]) -> Vector:
        return platt.apply(raw(texts))

    history = json.loads((run / HISTORY_FILE).read_text(encoding="utf-8"))
    figures = {
        "model": {"id": EMBEDDED_NAME, "revision": REVISION},
        "splits": {"train": len(splits.train), "validation": len(splits.validation), "test": len(splits.test)},
        "learned_from": dict(Counter(sources.learn.sources)),
        "recipe": history["recipe"],
        "epochs": history["epochs"],
        "blend": history.get("blend"),
        "calibration": calibration,
        "validation": measure_all(validation, logits(validation.texts), thresholds)["set"],
        "kept": probe(kept, logits(kept.texts), thresholds),
        "test": measure_test(test, logits(test.texts), folder) | {"cut_at_512_tokens": cut},
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    size = sum((folder / name).stat().st_size for name in MODEL_FILES)
    (folder / "README.md").write_text(model_card(figures, size), encoding="utf-8")
    return {"out": str(folder), "bytes": size, "mean_roc_auc": figures["test"]["mean_roc_auc"]}


def _known(logits: Vector) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.all(~np.isnan(logits), axis=1)
    return known


def _part(comments: Comments, raw: Callable[[list[str]], Vector]) -> Comments:
    """The comments that `raw` has logits of; each stands for as many as before."""
    known = _known(raw(comments.texts))
    texts = [text for text, present in zip(comments.texts, known, strict=True) if present]
    return Comments(texts, comments.labels[known], comments.clean_weight)
