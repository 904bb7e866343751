"""A text and its labels, an event or a dead letter as one line: for a person, or as JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from worker.types import Classification, ModelIdentity, ThresholdSet, Unscorable

if TYPE_CHECKING:
    from schemas.label import LabelEvent
    from worker.kafka.dead_letters.reader import DeadLetter

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


def failure_json_line(text: str, failure: Unscorable) -> str:
    """Class of the fault and its reason, as one JSON object."""
    del text
    return json.dumps({"error": failure.error, "reason": failure.reason})


def failure_line(text: str, failure: Unscorable) -> str:
    """The reason, and the beginning of the text."""
    return f"{'! ' + failure.reason:<48}  {beginning(text)}"


def text_line(text: str, found: Classification, model: Scored) -> str:
    """Labels with their scores, or the highest score of a text that has none, and the beginning of the text."""
    del model
    return f"{_verdict(found.labels, found.scores):<48}  {beginning(text)}"


def event_line(event: "LabelEvent") -> str:
    """A label event for a person: id, labels with their scores, and the beginning of the text where it has one."""
    name = beginning(str(event.comment.get("id", "")))
    return f"{name:<8}  {_verdict(event.labels, event.scores):<48}  {beginning(str(event.comment.get('text', '')))}"


def dead_letter_line(letter: "DeadLetter") -> str:
    """A dead letter for a person: where it was read, and why it could not be labelled."""
    where = f"{letter.topic}/{letter.partition}/{letter.offset}"
    return f"dead letter  {where}: {letter.stage} {letter.error}: {letter.reason}"


def _verdict(labels: Sequence[str], scores: Mapping[str, float]) -> str:
    if labels:
        return ", ".join(f"{label} {scores[label]:.2f}" for label in labels)
    label, score = max(scores.items(), key=lambda pair: pair[1])
    return f"- ({label} {score:.2f})"


def beginning(text: str) -> str:
    """The text on one line, cut, with what a terminal would obey taken out."""
    line = "".join(character if character.isprintable() else " " for character in text[: 2 * _SHOWN_CHARACTERS])
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
