"""The output event: a comment with its labels."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SCHEMA_VERSION = "1.1"


class _Part(BaseModel):
    # Readers must ignore fields they do not know, so that a later 1.x event can add some.
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class Thresholds(_Part):
    """Which scores became labels."""

    set: str = Field(description="Name and version of the threshold set, for example default@1")
    values: dict[str, float] = Field(description="For each label the lowest score that is flagged")


class ModelInfo(_Part):
    """What computed the scores, so that they can be reproduced."""

    id: str = Field(description="Hub name, folder name or embedded name")
    revision: str | None = Field(description="Revision of the model; null when unknown")
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Digest of weights, configuration and tokenizer")
    precision: Literal["float32", "bfloat16", "int8"] = Field(description="What the linear layers computed in")


class TextInfo(_Part):
    """How the text was read."""

    tokens: int = Field(ge=0, description="Tokens scored, special tokens included")
    windows: int = Field(ge=1, description="Windows the text was scored in; scores are the maximum over them")
    truncated: bool = Field(description="True when some of the text was not scored")


class SourceCoordinates(_Part):
    """The record the comment came in."""

    topic: str
    topic_id: str | None = Field(
        None, description="Id of the topic: another one of the same name has another. Null when the broker gives none"
    )
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)
    timestamp: AwareDatetime | None = Field(description="Timestamp of the record; null when it has none")


class LabelEvent(_Part):
    """A comment with its independent sigmoid scores, one for each label of the model."""

    model_config = ConfigDict(title="LabelEvent")

    schema_version: Literal["1.0", "1.1"]
    id: str = Field(
        description="UUID version 5 of topic/topic id/partition/offset/model digest/threshold set: equal for repeated "
        "deliveries. Without `topic id/` where source.topic_id is null, and in events of version 1.0"
    )
    comment: dict[str, Any] = Field(
        description="The comment as it came, unknown fields included; by setting, its text is a SHA-256 or left out"
    )
    labels: list[str] = Field(description="Labels at or above their threshold, in the model's order")
    flagged: bool = Field(description="True when there is at least one label")
    scores: dict[str, float] = Field(description="Every label of the model, in its own order, with a score in [0, 1]")
    thresholds: Thresholds
    model: ModelInfo
    text: TextInfo
    source: SourceCoordinates
    processed_at: AwareDatetime
