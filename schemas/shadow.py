"""An example of the shadow: one comment that two models scored, by ids and scores, never with its text."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.label import ModelInfo, ReachedTier

EXAMPLE_VERSION = "1.0"


class _Part(BaseModel):
    # Readers must ignore fields they do not know, so that a later 1.x example can add some.
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class ExampleSource(_Part):
    """The record the comment came in."""

    topic: str
    topic_id: str | None = Field(description="Id of the topic; null when the broker gives none")
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)


class ExampleVerdict(_Part):
    """What one of the two models says."""

    model: ModelInfo
    threshold_set: str = Field(description="Name and version of its threshold set")
    view: str | None = Field(None, description="Name and version of its second reading; null when it has none")
    scores: dict[str, float] = Field(
        description="Every label with a score in [0, 1]; the candidate's by the names that shadow.labels gives them"
    )
    tiers: dict[str, ReachedTier] = Field(description="For each label assigned the tier that its score reached")


class ExampleDifference(_Part):
    """A tier of a label that only one of the two reaches."""

    label: str
    tier: ReachedTier
    by: Literal["incumbent", "candidate"] = Field(description="Which of the two reaches it")


class ShadowExample(_Part):
    """A comment that two models have scored: the one in use, as in its label event (`incumbent`), and a candidate."""

    model_config = ConfigDict(title="ShadowExample")

    schema_version: Literal["1.0"]
    event_id: str = Field(description="Id of the label event that was compared")
    comment_id: str
    source: ExampleSource
    incumbent: ExampleVerdict
    candidate: ExampleVerdict
    differences: list[ExampleDifference] = Field(
        description="Of the labels that both models have; empty where the two agree"
    )
    kept: Literal["differing", "all"] = Field(
        description="Which comparisons are published (shadow.examples): only of all of them can shares be computed"
    )
    compared_at: AwareDatetime
