"""The file of a threshold set, format 2, and the older one with a single value for each label.

    {"format": 2, "set": "mine@1", "labels": {"toxic": {"review": 0.2, "act": 0.8}, "neutral": {}}, ...}

Scores of different labels are not comparable, so each label has its own values. Either may be null or absent: that tier
is never reached. What was chosen by rule also names the model, the data, the rule and the date; a set written by hand
may leave them out. Other keys document the choice and are not read.

The older format, `{"set": "mine@1", "values": {"toxic": 0.5}}`, has what is now the review value.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import jiter
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from worker.errors import ModelFault

FORMAT: Literal[2] = 2
_EXAMPLE = '{"format": 2, "set": "default@1", "labels": {"LABEL": {"review": 0.4, "act": 0.9}}}'

Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class TierValues(_Part):
    """The lowest scores of a label that reach each tier; null: none does."""

    review: Threshold | None = None
    act: Threshold | None = None

    @model_validator(mode="after")
    def _what_is_acted_on_is_reviewed_no_later(self) -> "TierValues":
        if self.review is not None and self.act is not None and self.review > self.act:
            message = f"review = {self.review:g} is above act = {self.act:g}; it must be the lower one, or equal"
            raise ValueError(message)
        return self


class ModelOfSet(_Part):
    """The model whose scores the set was chosen on."""

    digest: Digest
    id: str | None = None
    revision: str | None = None


class DataOfSet(_Part):
    """The labelled texts the set was chosen on."""

    digest: Digest
    file: str
    texts: int = Field(ge=1)
    clean_weight: float = Field(1, gt=0)
    positives: dict[str, int] = Field(default_factory=dict)


class SetFile(_Part):
    """Content of a threshold set file, format 2."""

    format: Literal[2]
    set: str = Field(min_length=1, max_length=100)
    labels: dict[str, TierValues]
    model: ModelOfSet | None = None
    data: DataOfSet | None = None
    rule: dict[str, Any] | None = None
    chosen_at: date | None = Field(None, alias="date")


class _OldModel(BaseModel):
    digest: str | None = None


class _OldSetFile(_Part):
    set: str = Field(min_length=1, max_length=100)
    values: dict[str, Threshold | None]
    model: _OldModel | None = None

    def upgraded(self) -> SetFile:
        """The same set in format 2."""
        labels = {label: TierValues(review=value) for label, value in self.values.items()}
        digest = None if self.model is None else self.model.digest
        model = None if digest is None else ModelOfSet(digest=digest)
        return SetFile(format=FORMAT, set=self.set, labels=labels, model=model)


def read_set(path: Path) -> SetFile:
    """The set in a file of either format.

    Raises:
        ModelFault: The file cannot be read, or is not a threshold set; the message has every problem.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"cannot read the threshold set {path}: {error.strerror}. Check SLUICE_MODEL__THRESHOLDS."
        raise ModelFault(message) from error
    try:
        return SetFile.model_validate_json(content) if _has_format(content) else _old_set(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'file'}: {p['msg']}" for p in error.errors())
        message = f"{path} is not a threshold set: {problems}. It must look like {_EXAMPLE}."
        raise ModelFault(message) from error


def _has_format(content: bytes) -> bool:
    try:
        document = jiter.from_json(content)
    except ValueError:
        return False
    return isinstance(document, dict) and ("format" in document or "labels" in document)


def _old_set(content: bytes) -> SetFile:
    return _OldSetFile.model_validate_json(content).upgraded()
