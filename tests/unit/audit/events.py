"""Label events for the tests of the audit, as the worker's own encoder writes them."""

import json
from typing import Any

from testkit.records import ASSIGNMENT, comment_record
from worker.classifier import Classifier
from worker.events.label_event import LabelEventEncoder
from worker.settings import InputSettings, OutputSettings
from worker.types import Classification, Labelled, ModelIdentity, TextFacts, ViewFacts
from worker.verdicts import ThresholdSet

MODEL = ModelIdentity("mine", "1", "sha256:" + "ab" * 32, "bfloat16")
THRESHOLDS = ThresholdSet("mine@1", {"toxic": 0.4, "insult": 0.5}, {"toxic": 0.8})
KEPT = OutputSettings()
FACTS = TextFacts(5, 1, truncated=False)


def written(
    found: Classification,
    *,
    text: str = "hello",
    offset: int = 4711,
    model: ModelIdentity = MODEL,
    thresholds: ThresholdSet = THRESHOLDS,
    view: str | None = None,
    output: OutputSettings = KEPT,
) -> bytes:
    labels = tuple(found.scores)
    encoder = LabelEventEncoder(InputSettings(), output, model, thresholds, labels, view, lambda: 1.5e9)
    message = comment_record(f"c-{offset}", text, offset=offset)
    value = encoder.encode(Labelled(message, ASSIGNMENT, f"c-{offset}", text, found)).value
    assert value is not None
    return value


def judged(
    scores: dict[str, float], thresholds: ThresholdSet = THRESHOLDS, view: ViewFacts | None = None
) -> Classification:
    """The classification that these scores give."""
    return Classification(
        scores,
        tuple(label for label, score in scores.items() if score >= thresholds.lowest_flagged(label)),
        FACTS,
        view,
        tuple(label for label, score in scores.items() if score >= thresholds.lowest_acted(label)),
    )


def published_by(classifier: Classifier, texts: list[str], output: OutputSettings = KEPT) -> list[bytes]:
    """The events of these texts, labelled together."""
    return [
        written(
            found,
            text=text,
            offset=offset,
            model=classifier.identity,
            thresholds=classifier.thresholds,
            view=classifier.view,
            output=output,
        )
        for offset, (text, found) in enumerate(zip(texts, classifier.classify(texts), strict=True))
    ]


def changed(value: bytes, **fields: Any) -> bytes:
    """The event with other fields."""
    return json.dumps(json.loads(value) | fields).encode()
