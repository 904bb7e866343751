"""Where each setting's value comes from: of flags, file, `.env` and environment the first that names it."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from worker.settings.renamed import RENAMED
from worker.settings.secret_files import SUFFIX

PREFIX = "SLUICE_"
DELIMITER = "__"


def variable(name: str) -> str:
    """The environment variable of a dotted name."""
    return PREFIX + name.replace(".", DELIMITER).upper()


@dataclass(frozen=True)
class Origins:
    """The sources that settings were loaded from, in words for a person.

    Attributes:
        config: The TOML file, if one was named.
        flags: Values by dotted name.
        env_file: The `.env` that was read, if any.
    """

    config: Path | None
    flags: Mapping[str, Any]
    env_file: Path | None

    def of(self, name: str) -> str:
        """Where the value of a dotted name comes from; `default` when no source names it."""
        names = {name, *(old for old, new in RENAMED.items() if new == name)}
        for known, where in self._sources:
            if names & known:
                return where
        return "default"

    @cached_property
    def _sources(self) -> list[tuple[set[str], str]]:
        sources: list[tuple[set[str], str]] = [(set(self.flags), "flag")]
        if self.config is not None:
            sections = tomllib.loads(self.config.read_text(encoding="utf-8"))
            sources.append((set(_names(sections, "")), str(self.config)))
        if self.env_file is not None:
            lines = dotenv_values(self.env_file, encoding="utf-8-sig")
            sources.append((_dotted(lines), str(self.env_file)))
        return [*sources, (_dotted(os.environ), "environment")]


def _names(values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """Dotted names of everything in a TOML file, tables included."""
    for name, value in values.items():
        yield prefix + name
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")


def _dotted(variables: Mapping[str, str | None]) -> set[str]:
    """Dotted names of the variables that hold something, or name the file that does."""
    return {
        name.upper().removesuffix(SUFFIX).removeprefix(PREFIX).replace(DELIMITER, ".").lower()
        for name, value in variables.items()
        if name.upper().startswith(PREFIX) and value
    }
