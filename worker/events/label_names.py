"""Other names for the model's labels in label events: those of Perspective API, or any.

Scores, tiers and thresholds of an event go by these names alike, and the event says which label of the model each of
them is. Threshold sets, metrics and the commands that know no output topic keep the model's own names.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from worker.errors import SettingsInvalid
from worker.reasons.spans import Reasons
from worker.settings import NamesPreset
from worker.types import Classification
from worker.verdicts import ThresholdSet

PERSPECTIVE: Mapping[str, str] = {
    "toxic": "TOXICITY",
    "toxicity": "TOXICITY",
    "severe_toxic": "SEVERE_TOXICITY",
    "severe_toxicity": "SEVERE_TOXICITY",
    "identity_hate": "IDENTITY_ATTACK",
    "identity_attack": "IDENTITY_ATTACK",
    "insult": "INSULT",
    "obscene": "PROFANITY",
    "profanity": "PROFANITY",
    "threat": "THREAT",
}
"""Perspective's attribute for the labels of models trained on the data sets of its makers (Jigsaw's challenges)."""


class LabelNames:
    """Names of the labels in events; labels that are not renamed keep the model's.

    Args:
        setting: A preset, or the new name of each label that gets one (`output.label_names`).
        labels: The model's labels.

    Raises:
        SettingsInvalid: The setting names a label that the model does not have, a preset has a name for none of its
            labels, or two labels would have one name.
    """

    def __init__(self, setting: Mapping[str, str] | NamesPreset, labels: Sequence[str]) -> None:
        given = _of_perspective(labels) if isinstance(setting, NamesPreset) else setting
        has = f"The model's labels are: {', '.join(labels)}"
        if unknown := [label for label in given if label not in labels]:
            message = f"output.label_names names labels that the model does not have: {', '.join(unknown)}. {has}"
            raise SettingsInvalid(message)
        if isinstance(setting, NamesPreset) and not given:
            message = f'output.label_names = {setting}: none of the labels is known. {has}. Write {{"label": "NAME"}}'
            raise SettingsInvalid(message)
        self._names = {label: given.get(label, label) for label in labels}
        if twice := [name for name, count in Counter(self._names.values()).items() if count > 1]:
            message = f"output.label_names gives two labels one name: {', '.join(twice)}. {has}"
            raise SettingsInvalid(message)
        self.model_labels = {name: label for label, name in self._names.items() if name != label}
        """For each name that is not the model's own, the label it stands for."""

    def classification(self, found: Classification) -> Classification:
        """The same under the new names, in the model's order."""
        if not self.model_labels:
            return found
        return found._replace(
            scores=dict(zip(self._names.values(), found.scores.values(), strict=True)),
            labels=self._renamed(found.labels),
            acted=self._renamed(found.acted),
            reasons=None if found.reasons is None else self._reasons(found.reasons),
        )

    def thresholds(self, thresholds: ThresholdSet) -> ThresholdSet:
        """The same set under the new names."""
        return thresholds._replace(
            values={self._names[label]: value for label, value in thresholds.values.items()},
            act={self._names[label]: value for label, value in thresholds.act.items()},
        )

    def _reasons(self, reasons: Reasons) -> Reasons:
        return reasons._replace(labels={self._names[label]: found for label, found in reasons.labels.items()})

    def _renamed(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        return tuple([self._names[label] for label in labels])


def _of_perspective(labels: Sequence[str]) -> dict[str, str]:
    known = {label: PERSPECTIVE.get(label.lower().replace(" ", "_").replace("-", "_")) for label in labels}
    return {label: name for label, name in known.items() if name is not None}
