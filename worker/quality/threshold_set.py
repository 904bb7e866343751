"""Writes chosen tiers as a threshold set: the values that the worker reads, and where they come from."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from worker.errors import SettingsInvalid
from worker.quality.threshold_rules import Choice
from worker.thresholds.set_file import FORMAT

if TYPE_CHECKING:
    from worker.quality.scored_texts import ScoredTexts
    from worker.quality.tiers import LabelTiers, Targets

_NAME = re.compile(r"[^@\s]{1,80}@[^@\s]{1,19}")


def check_name(name: str) -> None:
    """Refuse a name without a version: events carry the name, and a name must always mean the same set.

    Raises:
        SettingsInvalid: The name does not look like `mine@1`.
    """
    if not _NAME.fullmatch(name):
        message = f"--name {name}: give a name and a version, such as mine@1, and a new version for each new choice"
        raise SettingsInvalid(message)


def provenance(
    scored: "ScoredTexts", path: Path, targets: "Targets", clean_weight: float, today: date
) -> dict[str, Any]:
    """Where the values of a set come from: the date, the rule, the model and the file of labelled texts."""
    identity = scored.identity
    return {
        "date": today.isoformat(),
        "model": {"id": identity.id, "revision": identity.revision, "digest": identity.digest},
        "data": {
            "file": path.name,
            "digest": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}",
            "texts": len(scored.truth),
            "clean_weight": clean_weight,
            "positives": {label: int(scored.truth[:, i].sum()) for i, label in enumerate(scored.labels)},
        },
        "rule": targets.described(),
    }


def threshold_set(name: str, chosen: Mapping[str, "LabelTiers"], origin: Mapping[str, Any]) -> dict[str, Any]:
    """The set as JSON (`worker.thresholds.set_file`), with the figures of each tier under `chosen_on`."""
    return {
        "format": FORMAT,
        "set": name,
        "labels": {
            label: {"review": tiers.review.threshold, "act": tiers.act.threshold} for label, tiers in chosen.items()
        },
        **origin,
        "chosen_on": {
            label: {"review": _figures(tiers.review), "act": _figures(tiers.act)} for label, tiers in chosen.items()
        },
    }


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


def _figures(choice: Choice) -> dict[str, Any] | None:
    if choice.threshold is None:
        return None
    figures = {name: value for name, value in asdict(choice).items() if name != "threshold"}
    return {name: round(value, 4) if type(value) is float else value for name, value in figures.items()}
