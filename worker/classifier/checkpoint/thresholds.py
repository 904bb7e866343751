"""Threshold sets: which score of each label becomes a flag.

Scores of different labels are not comparable, so each label has its own threshold, in a versioned set that every
event names. The file is JSON: `{"set": "default@1", "values": {"toxic": 0.5, ...}}`. A label whose value is `null` is
scored but never flagged: the one for harmless text, where a model has one. Other keys document where the values come
from and are not read.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.errors import ModelFault
from worker.settings import ModelSettings
from worker.types import ThresholdSet

FILE_NAME = "thresholds.json"

Threshold = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


HARMLESS = re.compile(
    r"(non?|not|nothing|never)[-_ ].*|nontoxic|neutral|ok(ay)?|safe|clean|none|normal|benign|acceptable|harmless|"
    r"appropriate|positive|sfw",
    re.IGNORECASE,
)
"""Names of labels that stand for harmless text, and would flag nearly everything."""

log = logging.getLogger(__name__)


class ThresholdFile(BaseModel):
    """Content of a threshold set file."""

    model_config = ConfigDict(frozen=True, strict=True)

    set: str = Field(min_length=1, max_length=100)
    values: dict[str, Threshold | None]


def load_thresholds(labels: Sequence[str], folder: Path, path: Path | None, default: float) -> ThresholdSet:
    """The set in the file `path`, else the checkpoint's own set in `folder`, else `threshold@...` with one value.

    A label that the set does not name gets `default`; one that it names with `null` is left out, and never flagged.

    Raises:
        ModelFault: The file cannot be read, is not a threshold set, or names labels the model does not have.
    """
    file = path or folder / FILE_NAME
    if path is None and not file.is_file():
        return _checked(ThresholdSet(f"threshold@{default:g}", dict.fromkeys(labels, default)))
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
    if default != ModelSettings().threshold and all(label in content.values for label in labels):
        log.warning(
            "model.threshold = %g changes nothing: the threshold set %s names every label. Put a set of your own, "
            'such as {"set": "mine@1", "values": {"%s": %g}}, into a file and name it in model.thresholds: labels that '
            "it leaves out get model.threshold",
            *(default, content.set, labels[0], default),
        )
    values = {label: content.values.get(label, default) for label in labels}
    return _checked(ThresholdSet(content.set, {label: value for label, value in values.items() if value is not None}))


def _checked(thresholds: ThresholdSet) -> ThresholdSet:
    """The set; a label in it that stands for harmless text is logged."""
    for label, value in thresholds.values.items():
        if HARMLESS.fullmatch(label):
            log.warning(
                "the label %r sounds like harmless text, and texts that score %g or more for it are flagged: if it is, "
                'give it the value null in a threshold set: {"set": "mine@1", "values": {"%s": null}}',
                *(label, value, label),
            )
    return thresholds
