"""Renders a text with its labels, an event or a dead letter as one line: for a person, or as JSON."""

import json
from typing import TYPE_CHECKING, Any, Protocol

from worker.events.label_event import language_info, reasons_info, threshold_info, verdict_info, view_info
from worker.terminal.columns import WIDE, cut, text_columns, verdict, verdict_columns
from worker.types import Classification, ModelIdentity, Unscorable
from worker.verdicts import ThresholdSet

if TYPE_CHECKING:
    from schemas.label import LabelEvent
    from worker.kafka.dead_letters.reader import DeadLetter

_SHOWN_CHARACTERS = 60
INDENT = "    "


WHOLE = ""
"""The JSON Pointer of a whole value: a result's `comment` is the text itself."""


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
    """The label event's members from `labels` to `reasons`: what was found of a text and by what."""
    return {
        **verdict_info(found),
        "scores": found.scores,
        "thresholds": threshold_info(model.thresholds),
        "model": model.identity._asdict(),
        "text": found.text._asdict(),
        "view": view_info(model.view, found.view),
        "language": language_info(found.language),
        "reasons": reasons_info(found.reasons, WHOLE),
    }


def failure_line(text: str, failure: Unscorable) -> str:
    """The reason a text could not be scored, and the beginning of the text."""
    return f"{'! ' + failure.reason:<48}  {beginning(text)}"


def text_line(text: str, found: Classification, columns: int = WIDE) -> str:
    """Labels with their scores, or the highest score of a text without labels, and the beginning of the text."""
    room = verdict_columns(columns)
    shown = min(_SHOWN_CHARACTERS, text_columns(columns, with_id=False))
    return f"{verdict(found.labels, found.scores, room):<{room}}  {cut(text, shown)}"


def reason_lines(text: str, found: Classification) -> list[str]:
    """For each label the words that carry it, each with its share; without labels none."""
    if found.reasons is None:
        return [f"{INDENT}no reasons found"] if found.labels else []
    return [
        f"{INDENT}{label}: "
        + (", ".join(f"{beginning(text[r.span.begin : r.span.end])} {r.share:.2f}" for r in of_label.spans) or "-")
        for label, of_label in found.reasons.labels.items()
    ]


def event_line(event: "LabelEvent", columns: int = WIDE) -> str:
    """A label event for a person: id, labels with their scores, and the beginning of the text if it has one."""
    room, name = verdict_columns(columns), str(event.comment.get("id", ""))
    name = beginning(name) if columns >= WIDE else cut(name, 8)
    shown = min(_SHOWN_CHARACTERS, text_columns(columns, with_id=True))
    text = cut(str(event.comment.get("text", "")), shown)
    return f"{name:<8}  {verdict(event.labels, event.scores, room):<{room}}  {text}"


def heading_line(columns: int = WIDE) -> str:
    """What stands above the lines of label events."""
    room = verdict_columns(columns)
    return f"{'id':<8}  {cut('labels, or - (the highest score)', room):<{room}}  text"


def dead_letter_line(letter: "DeadLetter") -> str:
    """A dead letter among label events: where it was read, and why it could not be labelled."""
    return f"dead letter  {_origin(letter)}: {letter.stage} {letter.error}: {letter.reason}"


def dead_letter_row(letter: "DeadLetter") -> str:
    """A dead letter among dead letters: when it failed, where it was read, why, and how often it was replayed."""
    replays = f", replayed {counted(letter.replays, 'time')}" if letter.replays else ""
    return f"{letter.failed_at or '-'}  {_origin(letter):<28}  {letter.stage}/{letter.error}: {letter.reason}{replays}"


def dead_letter_json_line(letter: "DeadLetter") -> str:
    """The headers of a dead letter as one JSON object; the record's own bytes stay in the topic."""
    values = {name: value for name, value in letter._asdict().items() if name != "record"}
    return json.dumps(values, ensure_ascii=False)


def _origin(letter: "DeadLetter") -> str:
    return f"{letter.topic}/{letter.partition}/{letter.offset}"


def beginning(text: str) -> str:
    """The beginning of the text, in 60 characters at most."""
    return cut(text, _SHOWN_CHARACTERS)


def counted(number: int, what: str) -> str:
    """`1 dead letter`, `2 dead letters`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")
