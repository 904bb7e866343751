"""Chooses a threshold set and writes it to a file: the values the worker reads, and where they come from."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from worker.errors import SettingsInvalid
from worker.quality.threshold_rules import Choice, best_f1, lowest_at_precision

if TYPE_CHECKING:
    from worker.quality.scored_texts import ScoredTexts

_SEED = 0
_CONFIDENCE = 0.95
_NAME = re.compile(r"[^@\s]{1,80}@[^@\s]{1,19}")


class Rule(Enum):
    """How a label's threshold is chosen."""

    BEST_F1 = "best-f1"
    PRECISION = "precision"


def check_name(name: str) -> None:
    """Refuse a name without a version: events carry the name, and a name must always mean the same set.

    Raises:
        SettingsInvalid: The name does not look like `mine@1`.
    """
    if not _NAME.fullmatch(name):
        message = f"--name {name}: give a name and a version, such as mine@1, and a new version for each new choice"
        raise SettingsInvalid(message)


def choose_thresholds(scored: "ScoredTexts", rule: Rule, precision: float) -> dict[str, Choice]:
    """The choice of the rule for each label of the scored texts; `precision` applies to `Rule.PRECISION`."""
    choices: dict[str, Choice] = {}
    for column, label in enumerate(scored.labels):
        scores, truth = scored.scores[:, column], scored.truth[:, column]
        if rule is Rule.BEST_F1:
            choices[label] = best_f1(scores, truth, scored.weights, np.random.default_rng(_SEED))
        else:
            choices[label] = lowest_at_precision(scores, truth, scored.weights, precision)
    return choices


def provenance(scored: "ScoredTexts", path: Path, rule: Rule, precision: float, clean_weight: float) -> dict[str, Any]:
    """Where the values of a set come from: the rule, the model and the file of labelled texts."""
    return {
        "rule": (
            {"name": rule.value, "seed": _SEED}
            if rule is Rule.BEST_F1
            else {"name": rule.value, "precision": precision, "confidence": _CONFIDENCE}
        ),
        "model": scored.identity._asdict(),
        "data": {
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "texts": len(scored.truth),
            "clean_weight": clean_weight,
            "positives": {label: int(scored.truth[:, i].sum()) for i, label in enumerate(scored.labels)},
        },
    }


def threshold_set(name: str, choices: Mapping[str, Choice], origin: Mapping[str, Any]) -> dict[str, Any]:
    """The set as JSON: the worker reads `set` and `values`, the rest is documentation.

    A label without a threshold is left out; the setting `model.threshold` applies to it.
    """
    values = {label: choice.threshold for label, choice in choices.items() if choice.threshold is not None}
    chosen_on = {label: _rounded(asdict(choice)) for label, choice in choices.items()}
    return {"set": name, "values": values, **origin, "chosen_on": chosen_on}


def write_set(path: Path, content: Mapping[str, Any]) -> None:
    """Write the set to a new file.

    Raises:
        SettingsInvalid: The file exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        message = f"--output {path} exists, and a set that is in use must not change. Name another file and version."
        raise SettingsInvalid(message) from None
    except OSError as error:
        message = f"--output {path} cannot be written: {error.strerror}. Name another file."
        raise SettingsInvalid(message) from None


def _rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if type(value) is float else value for name, value in figures.items()}
