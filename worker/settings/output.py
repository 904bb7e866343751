"""The settings of what is written: label events and dead letters."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from worker.settings.fields import Section, TopicName, from_json
from worker.settings.formats import Format


class TextOutput(StrEnum):
    """What of the comment goes into the label event."""

    KEEP = "keep"
    HASH = "hash"
    OMIT = "omit"


class Tombstones(StrEnum):
    """What becomes of a deletion; `auto` forwards it where the output topic is compacted."""

    AUTO = "auto"
    FORWARD = "forward"
    DROP = "drop"


class NamesPreset(StrEnum):
    """Names for labels that are known by one word."""

    PERSPECTIVE = "perspective"


def _names_labels(value: Any) -> Any:
    value = from_json(value)
    if isinstance(value, dict) and all(isinstance(name, str) and name for pair in value.items() for name in pair):
        return value
    if isinstance(value, str) and value in list(NamesPreset):
        return NamesPreset(value)
    message = 'write perspective, or an object such as {"toxic": "TOXICITY"}'
    raise ValueError(message)


class OutputSettings(Section):
    """Where label events go."""

    topic: TopicName = Field("comment-labels", description="Topic of the label events")
    format: Format = Field(Format.JSON, description="How values are written: json, json-schema, avro or protobuf")
    text: TextOutput = Field(
        TextOutput.KEEP, description="keep the comment's text in the event, put its SHA-256 there (hash), or omit it"
    )
    label_names: Annotated[dict[str, str] | NamesPreset, NoDecode, BeforeValidator(_names_labels)] = Field(
        default_factory=dict,
        description="Names of labels in events: perspective (TOXICITY, INSULT, ...), or an object that gives labels of "
        "the model other names",
    )
    tombstones: Tombstones = Field(
        Tombstones.AUTO,
        description="A deleted comment's tombstone: forward it to the output topic under its key, drop it, or auto: "
        "forward it where that topic is compacted",
    )


class DeadLetterSettings(Section):
    """Where records go that cannot be labelled, and when to stop instead."""

    topic: TopicName = Field("comments.dlq", description="Topic of the dead letters")
    max_run: int = Field(
        1000, ge=1, description="Exit 5 when this many records in a row are rejected: a broken deploy, not bad data"
    )
    max_share: float = Field(
        0.5, gt=0, le=1, description="Exit 5 when more than this share of the last window_records are rejected"
    )
    window_records: int = Field(1000, ge=1, description="Records that max_share looks back on")
    max_replays: int = Field(3, ge=1, description="Hop limit: how often one record may be replayed")
