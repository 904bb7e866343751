"""From a record of the output topic to what can be scored again, or to the reason why it cannot."""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar, get_args

import jiter
from pydantic import ValidationError

from schemas.label import LabelEvent
from worker.documents.texts import text_reader
from worker.documents.unreadable import Unreadable
from worker.json_pointer import resolver
from worker.settings import InputSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

_HASHED = re.compile(r"sha256:[0-9a-f]{64}")
_KNOWN_VERSIONS = frozenset(get_args(LabelEvent.model_fields["schema_version"].annotation))


class Unaudited(StrEnum):
    """Why an event was not scored again."""

    NOT_AN_EVENT = "not-an-event"
    DELETION = "deletion"
    SCHEMA_VERSION = "schema-version"
    TEXT_HASHED = "text-hashed"
    TEXT_ABSENT = "text-absent"
    MODEL_ABSENT = "model-not-at-hand"
    MODEL_REFUSED = "model-refused"
    PRECISION = "precision-not-supported"
    VIEW = "view-version"
    UNSCORABLE = "unscorable"

    @property
    def meaning(self) -> str:
        """What that means and what to do, for a person."""
        return _MEANINGS[self]


_MEANINGS = {
    Unaudited.NOT_AN_EVENT: "the record holds no label event",
    Unaudited.DELETION: "a deletion (tombstone) that was forwarded; there is nothing to score",
    Unaudited.SCHEMA_VERSION: f"the event's schema_version is none of {', '.join(sorted(_KNOWN_VERSIONS))}",
    Unaudited.TEXT_HASHED: "output.text = hash: the event has only the SHA-256 of its text",
    Unaudited.TEXT_ABSENT: "the event has no text at input.text_pointer (output.text = omit, or other settings)",
    Unaudited.MODEL_ABSENT: "no model with the event's digest is at hand: name its folder with --model or --also",
    Unaudited.MODEL_REFUSED: "the model with the event's digest cannot be loaded; the log says why",
    Unaudited.PRECISION: "this machine, or the settings, do not compute in the event's precision",
    Unaudited.VIEW: "the second reading had another version: this release reads texts by other rules",
    Unaudited.UNSCORABLE: "the model gives the text no finite score now",
}


class Auditable(NamedTuple):
    """An event whose text is known.

    Attributes:
        event: The event, by the model's own labels.
        text: What was scored.
    """

    event: LabelEvent
    text: str


class Published:
    """Reads records as the worker published them.

    Args:
        settings: Where the text of a comment is, and in which markup.

    Raises:
        SettingsInvalid: The library that reads the text's markup is not installed.
    """

    def __init__(self, settings: InputSettings) -> None:
        self._read_text: Callable[[object], str] = text_reader(settings)
        self._places = [resolver(pointer) for pointer in settings.text_pointer]

    def __call__(self, value: bytes | None) -> Auditable | Unaudited:
        """The event in a record's value, or why there is nothing to score."""
        if value is None:
            return Unaudited.DELETION
        try:
            event = LabelEvent.model_validate_json(value)
        except ValidationError:
            return Unaudited.SCHEMA_VERSION if _has_other_version(value) else Unaudited.NOT_AN_EVENT
        texts = [find(event.comment) for find in self._places]
        if any(isinstance(text, str) and _HASHED.fullmatch(text) for text in texts):
            return Unaudited.TEXT_HASHED
        try:
            return Auditable(_by_its_models_labels(event), self._read_text(event.comment))
        except Unreadable:
            return Unaudited.TEXT_ABSENT


def _has_other_version(value: bytes) -> bool:
    try:
        document = jiter.from_json(value)
    except ValueError:
        return False
    version = document.get("schema_version") if isinstance(document, dict) else None
    return isinstance(version, str) and version not in _KNOWN_VERSIONS


def _by_its_models_labels(event: LabelEvent) -> LabelEvent:
    """The event without the names that `output.label_names` gave."""
    names = event.model_labels
    if not names:
        return event

    def own(values: "Mapping[str, T]") -> dict[str, T]:
        return {names.get(name, name): value for name, value in values.items()}

    given = event.thresholds
    thresholds = given.model_copy(update={"values": own(given.values), "act": own(given.act)})
    update = {"scores": own(event.scores), "tiers": own(event.tiers), "thresholds": thresholds}
    return event.model_copy(update=update | {"labels": [names.get(name, name) for name in event.labels]})
