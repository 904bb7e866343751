"""Threshold sets: which score of each label becomes a flag.

Scores of different labels are not comparable, so each label has its own threshold, in a versioned set that every
event names. The file is JSON: `{"set": "default@1", "values": {"toxic": 0.5, ...}}`. Other keys document where the
values come from and are not read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.errors import ModelFault
from worker.types import ThresholdSet

FILE_NAME = "thresholds.json"

Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ThresholdFile(BaseModel):
    """Content of a threshold set file."""

    model_config = ConfigDict(frozen=True, strict=True)

    set: str = Field(min_length=1, max_length=100)
    values: dict[str, Threshold]


def load_thresholds(labels: Sequence[str], folder: Path, path: Path | None, default: float) -> ThresholdSet:
    """The set in the file `path`, else the checkpoint's own set in `folder`, else `threshold@...` with one value.

    A label that the set does not name gets `default`.

    Raises:
        ModelFault: The file cannot be read, is not a threshold set, or names labels the model does not have.
    """
    file = path or folder / FILE_NAME
    if path is None and not file.is_file():
        return ThresholdSet(f"threshold@{default:g}", dict.fromkeys(labels, default))
    try:
        content = ThresholdFile.model_validate_json(file.read_bytes())
    except OSError as error:
        message = f"cannot read the threshold set {file}: {error.strerror}. Check SLUICE_MODEL__THRESHOLDS."
        raise ModelFault(message) from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'file'}: {p['msg']}" for p in error.errors())
        message = (
            f"{file} is not a threshold set: {problems}. "
            'It must look like {"set": "default@1", "values": {"LABEL": 0.5}}.'
        )
        raise ModelFault(message) from error
    if unknown := [label for label in content.values if label not in labels]:
        message = (
            f"{file} has thresholds for labels the model does not have: {', '.join(unknown)}. "
            f"The model's labels are: {', '.join(labels)}."
        )
        raise ModelFault(message)
    return ThresholdSet(content.set, {label: content.values.get(label, default) for label in labels})
