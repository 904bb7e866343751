"""Settings of the shadow: a candidate model that scores a sample of the stream, beside the one in use."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from worker.settings.fields import Section, TopicName, from_json
from worker.settings.model import ModelSettings, Precision, ReasonMethod


class ExamplesKept(StrEnum):
    """Which comparisons are published as examples."""

    DIFFERING = "differing"
    ALL = "all"


class CandidateSettings(Section):
    """The candidate; what is not set here is as in the section `model`, as it would be after a promotion.

    All but the device: a GPU, with its memory, is left to the model in use.
    """

    id: str | None = Field(
        None, min_length=1, description="Embedded name, hub name, or local folder of the candidate; none: no shadow"
    )
    revision: str | None = Field(None, description="Its branch, tag or commit on the hub")
    thresholds: Path | None = Field(None, description="Its threshold set file; none: its own, else threshold")
    threshold: float | None = Field(
        None, gt=0, lt=1, description="Review threshold of its labels that a set does not name; none: model.threshold"
    )
    foreign_thresholds: bool = Field(False, description="Use a threshold set that was chosen for another model")
    device: str = Field(
        "cpu",
        pattern=r"^(auto|cpu|cuda(:\d+)?)$",
        description="auto, cpu, cuda or cuda:N; on the GPU of the model in use it takes time and memory from that one",
    )
    precision: Precision | None = Field(None, description="auto, float32, bfloat16 or int8; none: model.precision")
    multi_label: bool | None = Field(
        None, description="Score a checkpoint whose config does not say so as multi-label; none: model.multi_label"
    )


class ShadowSettings(Section):
    """A candidate model that scores a sample of the stream too, in a process of its own; no event ever waits for it."""

    model: CandidateSettings = CandidateSettings()
    sample: float = Field(
        0.05, gt=0, le=1, description="Share of the label events compared; a record's place decides, also in a replay"
    )
    busy_share: float = Field(
        0,
        ge=0,
        le=1,
        description="Share of one core the candidate may take while the worker has work; 0: only idle time",
    )
    waiting_records: int = Field(
        1000, ge=1, description="Comments that wait for the candidate; those beyond are not compared, and counted"
    )
    labels: Annotated[dict[str, str], NoDecode, BeforeValidator(from_json)] = Field(
        default_factory=dict,
        description='Labels of the candidate that have another name in the model in use, such as {"toxicity": "toxic"}',
    )
    examples_topic: TopicName | None = Field(
        None, description="Topic of the examples: ids and scores, never a text; none: none are published"
    )
    examples: ExamplesKept = Field(
        ExamplesKept.DIFFERING,
        description="Comparisons that are published: differing (one flags, the other does not) or all",
    )

    @property
    def written_topics(self) -> tuple[str, ...]:
        """The topic of the examples, if a candidate is named and they are asked for."""
        return () if self.model.id is None or self.examples_topic is None else (self.examples_topic,)


def candidate_model(model: ModelSettings, candidate: CandidateSettings) -> ModelSettings:
    """The settings that the candidate is loaded with; `candidate.id` is set.

    One thread computes it, no cache hides what it costs, and its reasons are nobody's to read.
    """
    own = {name: getattr(candidate, name) for name in ("id", "revision", "thresholds", "foreign_thresholds", "device")}
    inherited = ("threshold", "precision", "multi_label")
    given = {name: value for name in inherited if (value := getattr(candidate, name)) is not None}
    fixed = {"threads": 1, "cache_entries": 0, "reasons": ReasonMethod.OFF}
    return model.model_copy(update={**own, **given, **fixed})
