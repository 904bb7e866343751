"""A threshold set as a file: what the worker reads of it, and where its values come from."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from worker.errors import SettingsInvalid
from worker.quality.threshold_rules import Choice

_NAME = re.compile(r"[^@\s]{1,80}@[^@\s]{1,19}")


def check_name(name: str) -> None:
    """Refuse a name that has no version: events carry it, and one name must mean one set for ever.

    Raises:
        SettingsInvalid: It does not look like `mine@1`.
    """
    if not _NAME.fullmatch(name):
        message = f"--name {name}: give a name and a version, such as mine@1; another choice gets another version"
        raise SettingsInvalid(message)


def threshold_set(name: str, choices: Mapping[str, Choice], provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The set as JSON: `set` and `values` are what the worker reads, the rest is for people.

    A label without a threshold is left out; it takes the setting `model.threshold`.
    """
    values = {label: choice.threshold for label, choice in choices.items() if choice.threshold is not None}
    chosen_on = {label: _rounded(asdict(choice)) for label, choice in choices.items()}
    return {"set": name, "values": values, **provenance, "chosen_on": chosen_on}


def write_set(path: Path, content: Mapping[str, Any]) -> None:
    """Write the set to a new file.

    Raises:
        SettingsInvalid: The file exists, or can't be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    except FileExistsError:
        message = f"--output {path} exists: a set that is in use must not change; name another file and version"
        raise SettingsInvalid(message) from None
    except OSError as error:
        message = f"--output {path}: {error.strerror}"
        raise SettingsInvalid(message) from None


def _rounded(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if type(value) is float else value for name, value in figures.items()}
