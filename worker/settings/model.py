"""The settings of the model: which one scores, on what, and how exactly."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from worker.settings import renamed
from worker.settings.fields import Section


class Precision(StrEnum):
    """What linear layers compute in; `auto` takes bfloat16 where the hardware is good at it, else float32."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"


class OtherLanguages(StrEnum):
    """What becomes of a comment surely in a language that the model does not know."""

    AS_IS = "as-is"
    REVIEW = "review"


class ReasonMethod(StrEnum):
    """How the words that carry a label are found."""

    AUTO = "auto"
    ON = "on"
    LEAVE_OUT = "leave-out"
    OFF = "off"


class ModelSettings(Section):
    """Which model scores, on what, and how exactly."""

    id: str = Field("sluice-mini", min_length=1, description="Embedded name, hub name, or local folder")
    revision: str | None = Field(None, description="Branch, tag or commit on the hub; a commit can be reproduced")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N")
    precision: Precision = Field(
        Precision.AUTO,
        description="auto, float32, bfloat16 or int8 (CPU, quality-gated); auto takes int8 where the checkpoint has "
        "passed its trial and this machine computes it faster: name one to pin it, as audits need",
    )
    threads: int | None = Field(None, ge=1, description="CPU threads for the model; none: the cores given (cgroup)")
    lanes: int | None = Field(
        None,
        ge=1,
        description="Batches that a worker scores at once on a CPU, sharing model.threads; none: one for each thread, "
        "for the highest rate. Fewer label a single long comment sooner",
    )
    thresholds: Path | None = Field(None, description="Threshold set file; none: the checkpoint's own, else threshold")
    threshold: float = Field(0.5, gt=0, lt=1, description="Review threshold of every label a set does not name")
    foreign_thresholds: bool = Field(
        False, description="Use a threshold set that was chosen for another model; events say so (thresholds.made_for)"
    )
    max_window_tokens: int | None = Field(None, ge=8, description="Tokens a window holds; none: the model's own limit")
    max_pass_tokens: int | None = Field(
        None,
        ge=64,
        description="Tokens of one forward pass, over all threads; none: 2,048 on a CPU, 65,536 on a GPU",
    )
    max_windows: int = Field(8, ge=1, description="Windows scored of one long text; the rest is cut, and said so")
    window_overlap_tokens: int = Field(64, ge=0, description="Tokens that neighbouring windows share")
    canonical_view: bool = Field(
        True,
        description="Score disguised texts (i d i o t, 1d10t) also as a reader sees them, and keep the higher score",
    )
    detect_language: bool = Field(True, description="Say of each text which language it is in (14 us a comment)")
    languages: str | None = Field(
        None,
        pattern=r"^[a-z]{2,3}(,[a-z]{2,3})*$",
        description="Languages the model knows, such as en,de; none: those that the checkpoint's card states",
    )
    other_languages: OtherLanguages = Field(
        OtherLanguages.AS_IS,
        description="A comment surely in another language: as-is (by its scores alone), or review (a person sees it, "
        "and nothing is acted on)",
    )
    reasons: ReasonMethod = Field(
        ReasonMethod.AUTO,
        description="Which words carry a label: auto (where the checkpoint has a token head, at next to no cost), "
        "on (also elsewhere, by leaving out words), leave-out (always so), or off",
    )
    reason_tokens: int = Field(
        8192, ge=512, description="Tokens that leaving out words may compute for one window of a flagged text"
    )
    multi_label: bool = Field(
        False,
        description="Score a checkpoint whose config does not say multi_label_classification as if it did",
    )
    allow_pickle: bool = Field(False, description="Load pytorch_model.bin files; a pickle can run code")
    cache_entries: int = Field(0, ge=0, description="Recent texts whose scores are kept (spam floods); 0: none")

    @model_validator(mode="before")
    @classmethod
    def _takes_old_names(cls, values: Any) -> Any:
        return renamed.within_section("model", values)

    @model_validator(mode="after")
    def _languages_are_looked_at(self) -> "ModelSettings":
        if not self.detect_language and self.other_languages is OtherLanguages.REVIEW:
            message = (
                "model.other_languages = review needs model.detect_language = true: no language is known without it"
            )
            raise ValueError(message)
        return self
