"""The settings of what is written: label events and dead letters."""

from enum import StrEnum

from pydantic import Field

from worker.settings.fields import Section, TopicName
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


class OutputSettings(Section):
    """Where label events go."""

    topic: TopicName = Field("comment-labels", description="Topic of the label events")
    format: Format = Field(Format.JSON, description="How values are written: json, json-schema, avro or protobuf")
    text: TextOutput = Field(
        TextOutput.KEEP, description="keep the comment's text in the event, put its SHA-256 there (hash), or omit it"
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
