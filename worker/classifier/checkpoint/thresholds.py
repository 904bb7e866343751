"""Which threshold set a checkpoint is used with: the one a setting names, its own, or one value for every label."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from worker.errors import ModelFault
from worker.settings import ModelSettings
from worker.thresholds.set_file import SetFile, TierValues, read_set
from worker.verdicts import MadeFor, ThresholdSet

FILE_NAME = "thresholds.json"

HARMLESS = re.compile(
    r"(non?|not|nothing|never)[-_ ].*|nontoxic|neutral|ok(ay)?|safe|clean|none|normal|benign|acceptable|harmless|"
    r"appropriate|positive|sfw",
    re.IGNORECASE,
)
"""Names of labels that stand for harmless text, and would flag nearly everything."""

log = logging.getLogger(__name__)


class FoundSet(NamedTuple):
    """A set, before it is known whether it was made for the model.

    Attributes:
        thresholds: The set.
        source: The file it is from; None where it is a setting.
        model_digest: Digest of the model it was chosen for; None when it names none.
    """

    thresholds: ThresholdSet
    source: Path | None = None
    model_digest: str | None = None

    def used_with(self, digest: str, *, foreign: bool) -> ThresholdSet:
        """The set for the model with this digest.

        Args:
            digest: The model's.
            foreign: Whether a set that was chosen for another model may be used; it then says so.

        Raises:
            ModelFault: It was chosen for another model: its values would mean something else here.
        """
        if self.model_digest is None:
            return self.thresholds
        if self.model_digest == digest:
            return self.thresholds._replace(made_for=MadeFor.THIS_MODEL)
        if not foreign:
            message = (
                f"the threshold set {self.thresholds.name} ({self.source}) was chosen for the model "
                f"{self.model_digest}, and this one is {digest}: the same score means something else. Choose a new set "
                "with `sluice thresholds`. SLUICE_MODEL__FOREIGN_THRESHOLDS=true uses it all the same, and events say "
                "so."
            )
            raise ModelFault(message)
        log.warning(
            "the threshold set %s was chosen for another model (%s) and is used all the same, as "
            "model.foreign_thresholds says",
            *(self.thresholds.name, self.model_digest),
        )
        return self.thresholds._replace(made_for=MadeFor.ANOTHER_MODEL)


def load_thresholds(labels: Sequence[str], folder: Path, path: Path | None, default: float) -> FoundSet:
    """The set in the file `path`, else the checkpoint's own set in `folder`, else `threshold@...` with one value.

    A label that the set does not name gets `default` as its review value; one without any value in the set is left out,
    and never flagged.

    Raises:
        ModelFault: The file cannot be read, is not a threshold set, or names labels the model does not have.
    """
    file = path or folder / FILE_NAME
    if path is None and not file.is_file():
        return FoundSet(_checked(ThresholdSet(f"threshold@{default:g}", dict.fromkeys(labels, default))))
    content = read_set(file)
    if unknown := [label for label in content.labels if label not in labels]:
        message = (
            f"{file} has thresholds for labels the model does not have: {', '.join(unknown)}. "
            f"The model's labels are: {', '.join(labels)}."
        )
        raise ModelFault(message)
    if default != ModelSettings().threshold and all(label in content.labels for label in labels):
        log.warning(
            "model.threshold = %g changes nothing: the threshold set %s names every label. Put a set of your own, "
            'such as {"format": 2, "set": "mine@1", "labels": {"%s": {"review": %g}}}, into a file and name it in '
            "model.thresholds: labels that it leaves out get model.threshold",
            *(default, content.set, labels[0], default),
        )
    digest = None if content.model is None else content.model.digest
    return FoundSet(_checked(_set_of(content, labels, default)), file, digest)


def _set_of(content: SetFile, labels: Sequence[str], default: float) -> ThresholdSet:
    unnamed = TierValues(review=default)
    tiers = {label: content.labels.get(label, unnamed) for label in labels}
    act = {label: values.act for label, values in tiers.items() if values.act is not None}
    review = {label: values.review for label, values in tiers.items() if values.review is not None}
    lowest = act | review
    return ThresholdSet(content.set, {label: lowest[label] for label in labels if label in lowest}, act)


def _checked(thresholds: ThresholdSet) -> ThresholdSet:
    """The set; a label in it that stands for harmless text is logged."""
    for label, value in thresholds.values.items():
        if HARMLESS.fullmatch(label):
            log.warning(
                "the label %r sounds like harmless text, and texts that score %g or more for it are flagged: if it is, "
                'leave it without values in a threshold set: {"format": 2, "set": "mine@1", "labels": {"%s": {}}}',
                *(label, value, label),
            )
    return thresholds
