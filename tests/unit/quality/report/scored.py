"""Scored texts for the tests of the report."""

from datetime import date
from typing import Any

import numpy as np

from worker.quality.evaluation import text_weights
from worker.quality.report.figures import Report, make_report
from worker.quality.scored_texts import ScoredTexts
from worker.types import ModelIdentity
from worker.verdicts import ThresholdSet

ORIGIN: dict[str, Any] = {
    "date": date(2026, 11, 26).isoformat(),
    "model": {"id": "mine", "revision": "1", "digest": "sha256:" + "ab" * 32, "precision": "float32"},
    "threshold_set": "mine@1",
    "data": {"file": "labelled.csv", "digest": "sha256:" + "cd" * 32, "texts": 400, "unscorable": 0, "clean_weight": 3},
}


def scored_texts(
    labels: tuple[str, ...] = ("toxic", "insult"), texts: int = 400, clean_weight: float = 1
) -> ScoredTexts:
    """Random scores that rank the texts well but not perfectly."""
    random = np.random.default_rng(0)
    depth = random.normal(size=texts)
    truth = np.column_stack([(depth + random.normal(size=texts) > 0.5 + at).astype(float) for at in range(len(labels))])
    scores = np.column_stack([np.round(1 / (1 + np.exp(-2 * (depth - 0.5 - at))), 6) for at in range(len(labels))])
    thresholds = ThresholdSet("mine@1", dict.fromkeys(labels, 0.4), {labels[0]: 0.8})
    return ScoredTexts(
        ModelIdentity("mine", "1", "sha256:" + "ab" * 32, "float32"),
        thresholds,
        labels,
        scores,
        truth,
        text_weights(truth, clean_weight),
        0,
        [f"text number {number} " * (1 + number % 90) for number in range(texts)],
        [f"c-{number}" for number in range(texts)],
        [("en", "de", "")[number % 3] for number in range(texts)],
    )


def report_of(scored: ScoredTexts, *, with_texts: bool = False) -> Report:
    return make_report(scored, scored.languages, ORIGIN, with_texts=with_texts)
