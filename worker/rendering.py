"""One text and its labels as a line: for a person, or as JSON."""

import json
from collections.abc import Callable
from typing import Any, Protocol

from worker.classification import Classification, ModelIdentity, ThresholdSet

_SHOWN_CHARACTERS = 60


class Scored(Protocol):
    """What a line tells of the model."""

    @property
    def identity(self) -> ModelIdentity:
        """What computed the scores."""

    @property
    def thresholds(self) -> ThresholdSet:
        """Which scores became labels."""


Render = Callable[[str, Classification, Scored], str]


def json_line(text: str, found: Classification, model: Scored) -> str:
    """The label event's `labels`, `flagged`, `scores`, `thresholds`, `model` and `text`, as one JSON object."""
    del text
    event: dict[str, Any] = {
        "labels": found.labels,
        "flagged": found.flagged,
        "scores": found.scores,
        "thresholds": {"set": model.thresholds.name, "values": model.thresholds.values},
        "model": model.identity._asdict(),
        "text": found.text._asdict(),
    }
    return json.dumps(event, ensure_ascii=False)


def text_line(text: str, found: Classification, model: Scored) -> str:
    """Labels with their scores, or the highest score of a text that has none, and the beginning of the text."""
    del model
    if found.labels:
        verdict = ", ".join(f"{label} {found.scores[label]:.2f}" for label in found.labels)
    else:
        label, score = max(found.scores.items(), key=lambda pair: pair[1])
        verdict = f"- ({label} {score:.2f})"
    return f"{verdict:<48}  {beginning(text)}"


def beginning(text: str) -> str:
    """The text on one line, cut, with what a terminal would obey taken out."""
    line = "".join(character if character.isprintable() else " " for character in text[: 2 * _SHOWN_CHARACTERS])
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
