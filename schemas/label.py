"""The output event: a comment with its labels."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SCHEMA_VERSION = "1.2"

ReachedTier = Literal["review", "act"]


class _Part(BaseModel):
    # Readers must ignore fields they do not know, so that a later 1.x event can add some.
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class Thresholds(_Part):
    """Which scores became labels."""

    set: str = Field(description="Name and version of the threshold set, for example default@1")
    values: dict[str, float] = Field(description="For each label the lowest score that is flagged")
    act: dict[str, float] = Field(
        default_factory=dict,
        description="For each label the lowest score of the tier act; a label that is never acted on has none",
    )
    made_for: Literal["this-model", "another-model", "unstated"] | None = Field(
        None,
        description="Which model the set was chosen for: another one only where model.foreign_thresholds allows it. "
        "Null in events before version 1.2",
    )


class CommentId(_Part):
    """The comment's id, and where it is from."""

    value: str = Field(description="The id; an integer's digits, a UUID in lower case with hyphens")
    source: Literal["field", "key", "position", "cloudevent"] = Field(
        description="field: a field of the comment; key: the record's key; position: `topic-partition-offset`; "
        "cloudevent: the id of the CloudEvent that the comment came in"
    )


class ModelInfo(_Part):
    """What computed the scores, so that they can be reproduced."""

    id: str = Field(description="Hub name, folder name or embedded name")
    revision: str | None = Field(description="Revision of the model; null when unknown")
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Digest of weights, configuration and tokenizer")
    precision: Literal["float32", "bfloat16", "int8"] = Field(description="What the linear layers computed in")


class TextInfo(_Part):
    """How the text was read as it was written."""

    tokens: int = Field(ge=0, description="Tokens scored, special tokens included")
    windows: int = Field(ge=1, description="Windows the text was scored in; scores are the maximum over them")
    truncated: bool = Field(description="True when some of the text was not scored")


class ViewInfo(_Part):
    """The second reading: what a person sees where a spelling hides words from a model (s t u p i d, 1d10t)."""

    version: str = Field(
        pattern=r"^[a-z-]+@[0-9]+$",
        description="Name and version of the rules that read the text; another version may read it otherwise",
    )
    scored: bool = Field(
        description="True when the reading has other tokens than the text and was scored beside it; each score is then "
        "the higher of the two"
    )
    transforms: list[str] = Field(description="What was undone in the reading that was scored; empty when none was")
    tokens: int = Field(ge=0, description="Tokens of the reading that was scored, special tokens included; 0: none was")


class LanguageInfo(_Part):
    """The language of the text."""

    detected: str | None = Field(
        description="ISO 639-1 code of the most likely language (639-3 where that has none); null when none was found"
    )
    reliable: bool = Field(description="Whether that is certain; false for short texts and those in several languages")
    supported: bool | None = Field(
        description="False when the text is surely in a language the model does not know; null when nothing says which "
        "languages it knows"
    )


class TextSpan(_Part):
    """Part of the text, `[begin, end)`; never empty."""

    begin: int = Field(ge=0, description="First character, in code points (as Python, Go and databases count)")
    end: int = Field(ge=1, description="The character after the last, in code points")
    utf16_begin: int = Field(ge=0, description="begin in UTF-16 code units (as JavaScript, Java and C# count)")
    utf16_end: int = Field(ge=1, description="end in UTF-16 code units")


class ReasonSpan(TextSpan):
    """Words that carry a label."""

    share: float = Field(ge=0, le=1, description="Part of the weight of all spans of the label")


class LabelReasons(_Part):
    """What carries one label."""

    spans: list[ReasonSpan] = Field(description="In the order of the text; empty for a text without words")
    window: TextSpan | None = Field(
        None,
        description="The part of the text that has the label's score; null where the text was read in one window",
    )


class Reasons(_Part):
    """Which words carry the labels."""

    method: str = Field(
        pattern=r"^[a-z-]+@[0-9]+$", description="Name and version of the method: token-head@1, leave-out@1"
    )
    text_pointer: str | None = Field(
        None,
        description="JSON Pointer, in comment, of the text that the spans count in; null where that text was joined of "
        "several fields or read from markup: it is what a reader sees, and not in the event",
    )
    labels: dict[str, LabelReasons] = Field(description="For each of the event's labels what carries it")


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

    schema_version: Literal["1.0", "1.1", "1.2"] = Field(
        description="1.1 added source.topic_id, view and comment_id; 1.2 added tier, tiers, language, "
        "model_labels, reasons, thresholds.act and thresholds.made_for"
    )
    id: str = Field(
        description="UUID version 5 of topic/topic id/partition/offset/model digest/threshold set/view version: equal "
        "for repeated deliveries. Without `topic id/` where source.topic_id is null, without `/view version` where "
        "view is null, and without both in events of version 1.0"
    )
    comment_id: CommentId | None = Field(None, description="The comment's id; null in events of version 1.0")
    comment: dict[str, Any] = Field(
        description="The comment as it came, unknown fields included, without its envelope where it has one; by "
        "setting, its text is a SHA-256 or left out"
    )
    labels: list[str] = Field(description="Labels at or above their lowest threshold, in the model's order")
    flagged: bool = Field(description="True when there is at least one label")
    tier: Literal["none", "review", "act"] | None = Field(
        None,
        description="The highest tier that a label reached; review for a text in a language the model does not know, "
        "where model.other_languages says so. Null in events before version 1.2",
    )
    tiers: dict[str, ReachedTier] = Field(
        default_factory=dict, description="For each of the labels the tier that its score reached"
    )
    scores: dict[str, float] = Field(description="Every label of the model, in its own order, with a score in [0, 1]")
    thresholds: Thresholds
    model_labels: dict[str, str] = Field(
        default_factory=dict,
        description="For each name that output.label_names gives a label, the model's own; empty where it gives none",
    )
    model: ModelInfo
    text: TextInfo
    view: ViewInfo | None = Field(None, description="The second reading; null when texts are scored as written only")
    language: LanguageInfo | None = Field(None, description="The text's language; null when it is not detected")
    reasons: Reasons | None = Field(
        None,
        description="The words that carry the labels; null for a text without labels, and where none are asked for or "
        "can be found (model.reasons)",
    )
    source: SourceCoordinates
    processed_at: AwareDatetime
