"""Renders a text with its labels, an event or a dead letter as one line: for a person, or as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from worker.events.label_event import view_info
from worker.types import Classification, ModelIdentity, ThresholdSet, Unscorable

if TYPE_CHECKING:
    from schemas.label import LabelEvent
    from worker.kafka.dead_letters.reader import DeadLetter

_SHOWN_CHARACTERS = 60


class Scored(Protocol):
    """The facts about a model that a line may show."""

    @property
    def identity(self) -> ModelIdentity:
        """The model that computed the scores."""

    @property
    def thresholds(self) -> ThresholdSet:
        """The thresholds that turned scores into labels."""

    @property
    def view(self) -> str | None:
        """The second reading that texts are scored in."""


def json_object(found: Classification, model: Scored) -> dict[str, Any]:
    """The label event's `labels`, `flagged`, `scores`, `thresholds`, `model`, `text` and `view`."""
    return {
        "labels": found.labels,
        "flagged": found.flagged,
        "scores": found.scores,
        "thresholds": {"set": model.thresholds.name, "values": model.thresholds.values},
        "model": model.identity._asdict(),
        "text": found.text._asdict(),
        "view": view_info(model.view, found.view),
    }


def failure_line(text: str, failure: Unscorable) -> str:
    """The reason a text could not be scored, and the beginning of the text."""
    return f"{'! ' + failure.reason:<48}  {beginning(text)}"


def text_line(text: str, found: Classification) -> str:
    """Labels with their scores, or the highest score of a text without labels, and the beginning of the text."""
    return f"{_verdict(found.labels, found.scores):<48}  {beginning(text)}"


def event_line(event: "LabelEvent") -> str:
    """A label event for a person: id, labels with their scores, and the beginning of the text if it has one."""
    name = beginning(str(event.comment.get("id", "")))
    return f"{name:<8}  {_verdict(event.labels, event.scores):<48}  {beginning(str(event.comment.get('text', '')))}"


def dead_letter_line(letter: "DeadLetter") -> str:
    """A dead letter among label events: where it was read, and why it could not be labelled."""
    return f"dead letter  {_origin(letter)}: {letter.stage} {letter.error}: {letter.reason}"


def dead_letter_row(letter: "DeadLetter") -> str:
    """A dead letter among dead letters: when it failed, where it was read, why, and how often it was replayed."""
    replays = f", replayed {letter.replays} times" if letter.replays else ""
    return f"{letter.failed_at or '-'}  {_origin(letter):<28}  {letter.stage}/{letter.error}: {letter.reason}{replays}"


def dead_letter_json_line(letter: "DeadLetter") -> str:
    """The headers of a dead letter as one JSON object; the record's own bytes stay in the topic."""
    values = {name: value for name, value in letter._asdict().items() if name != "record"}
    return json.dumps(values, ensure_ascii=False)


def _origin(letter: "DeadLetter") -> str:
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def _verdict(labels: Sequence[str], scores: Mapping[str, float]) -> str:
    if labels:
        return ", ".join(f"{label} {scores[label]:.2f}" for label in labels)
    label, score = max(scores.items(), key=lambda pair: pair[1])
    return f"- ({label} {score:.2f})"


def beginning(text: str) -> str:
    """The beginning of the text on one line, without the control characters that a terminal would obey."""
    line = "".join(character if character.isprintable() else " " for character in text[: 2 * _SHOWN_CHARACTERS])
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"
