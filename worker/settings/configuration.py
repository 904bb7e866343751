"""Reads the settings from the environment, a `.env`, a TOML file and flags; the later win, all problems are reported.

`pydantic-settings` does the reading. What it leaves open is closed here: a name that no setting has is refused wherever
it comes from, files are named in what is said of them, and every problem is reported at once, with secrets masked.
"""

import io
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from worker.errors import SettingsInvalid
from worker.settings import secret_files
from worker.settings.origins import DELIMITER, PREFIX, variable
from worker.settings.renamed import RENAMED
from worker.settings.secrets import MASK, is_secret, masked
from worker.settings.whole import Settings

_PROPERTIES_EXAMPLE = 'write an object such as {"security.protocol": "SSL"}'

_WITH_PROPERTIES = ("kafka", "registry")
"""Sections with `properties` of a client, which variables and flags give as a JSON object."""

_UNPARSED = re.compile(r'error parsing value for field "(\w+)"')
"""How pydantic-settings reports a variable that is not JSON; the group is the section."""

_MAY_HOLD_SECRETS = ("kafka.properties", "registry.properties", "registry.url")
"""Settings whose value no message repeats: properties hold passwords, and a URL may."""

_SERVICE_VARIABLE = re.compile(
    r"SLUICE_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)?)"
)
"""What Kubernetes puts into every pod beside a Service whose name begins with `sluice`: not settings of ours."""


def load(config: Path | None = None, flags: Mapping[str, Any] | None = None, env_file: Path | None = None) -> Settings:
    """The effective settings.

    Args:
        config: TOML file with a table for each section.
        flags: Values by dotted name (`kafka.group_id`); strings are read as the environment's are.
        env_file: File of `SLUICE_...=value` lines, which must exist; none: `.env` in the working folder, where there
            is one. Lines of other programs are passed over.

    Raises:
        SettingsInvalid: Every problem found, a line each.
    """
    problems = list(_unknown_variables(os.environ, "the environment"))
    env_file = env_file or default_env_file()
    variables, file_problems = _read_env_file(env_file) if env_file else ({}, [])
    problems += file_problems
    environment, unread = secret_files.resolved(os.environ, _known_variables())
    problems += unread
    if config is not None and (problem := _unreadable(config)):
        problems.append(problem)
        config = None
    overrides, flag_problems = _nest(flags or {})
    problems += flag_problems
    try:
        read = _reader(config, variables, environment).model_validate(overrides)
        settings = Settings.model_validate(read.model_dump())
    except ValidationError as error:
        problems += [line for details in error.errors() for line in _describe(details)]
    else:
        if not problems:
            return settings
    message = "settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems)
    raise SettingsInvalid(message)


def default_env_file() -> Path | None:
    """The `.env` of the working folder, where there is one."""
    beside = Path(".env")
    return beside if beside.is_file() else None


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, secrets masked: for `sluice config`."""
    values = settings.model_dump(mode="json")
    for section in _WITH_PROPERTIES:
        values[section]["properties"] = masked(values[section]["properties"])
    for section, name in (("registry", "password"), ("page", "token")):
        if values[section][name] is not None:
            values[section][name] = MASK
    return values


def names() -> Iterator[str]:
    """Dotted names of all settings."""
    return _names(Settings, "")


def _names(holder: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in holder.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


class _Variables(EnvSettingsSource):
    """Reads variables of a mapping as the environment's are read."""

    def __init__(self, settings_cls: type[BaseSettings], variables: Mapping[str, str | None]) -> None:
        self._given = {name.lower(): value for name, value in variables.items() if value}
        super().__init__(settings_cls)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given


def _reader(
    config: Path | None, variables: Mapping[str, str | None], environment: Mapping[str, str | None]
) -> type[BaseSettings]:
    """A settings class that reads the environment, then `variables` of a `.env`, then the file; arguments win."""

    class Reader(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX,
            env_nested_delimiter=DELIMITER,
            env_ignore_empty=True,  # what `${UNSET:-}` of a compose file leaves
            toml_file=config,
            extra="forbid",  # of TOML and flags; unknown variables are found by `_unknown_variables`
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del env_settings, dotenv_settings, file_secret_settings
            return (
                init_settings,
                TomlConfigSettingsSource(settings_cls),
                _Variables(settings_cls, variables),
                _Variables(settings_cls, environment),
            )

    return Reader


def _nest(flags: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Flags by dotted name as sections, JSON decoded where the setting is a mapping; and what is wrong with them."""
    known = {*names(), *RENAMED}
    nested: dict[str, Any] = {}
    problems = []
    for name, value in flags.items():
        if name not in known:
            problems.append(f"{name}: there is no such setting{_suggestion(name, known)}")
            continue
        *sections, field = name.split(".")
        holder = nested
        for section in sections:
            holder = holder.setdefault(section, {})
        holder[field] = value
    for section in _WITH_PROPERTIES:
        properties = nested.get(section, {}).get("properties")
        if isinstance(properties, str):
            try:
                nested[section]["properties"] = json.loads(properties)
            except ValueError:
                problems.append(f"{section}.properties: not JSON; {_PROPERTIES_EXAMPLE}")
                del nested[section]["properties"]
    return nested, problems


def _known_variables() -> set[str]:
    return {variable(name) for name in (*names(), *RENAMED)}


def _unknown_variables(variables: Mapping[str, str | None], where: str) -> Iterator[str]:
    known = _known_variables() | {PREFIX + section.upper() for section in Settings.model_fields}
    known |= {name + secret_files.SUFFIX for name in known}
    for name in sorted(variables):
        if not name.upper().startswith(PREFIX) or _SERVICE_VARIABLE.fullmatch(name):
            continue
        if name.upper() not in known:
            yield f"{name} in {where}: there is no such setting{_suggestion(name.upper(), known)}"


def _read_env_file(path: Path) -> tuple[dict[str, str | None], list[str]]:
    """Our variables in a `.env`, and what is wrong with the file; lines of other programs are passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors put a byte order mark first
    except OSError as error:
        return {}, [f"--env-file {path}: {error.strerror}"]
    except UnicodeDecodeError as error:
        return {}, [f"{path}: not UTF-8 (byte {error.start}); save the file as UTF-8"]
    ours = [line for line in enumerate(text.splitlines(), 1) if PREFIX in line[1].upper() and line[1].strip()[0] != "#"]
    # python-dotenv logs a line it cannot read, without the file's name, and goes on.
    problems = [f"{path}, line {number}: write {PREFIX}...=value" for number, line in ours if "=" not in line]
    values = dotenv_values(stream=io.StringIO(text)) if not problems else {}
    variables = {name: value for name, value in values.items() if name.upper().startswith(PREFIX)}
    problems += _unknown_variables(variables, str(path))
    variables, unread = secret_files.resolved(variables, _known_variables())
    return variables, [*problems, *(f"{path}: {problem}" for problem in unread)]


def _unreadable(config: Path) -> str | None:
    try:
        text = config.read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            return f"--config {config}: it begins with a byte order mark; save the file as UTF-8 without one"
        tomllib.loads(text)
    except OSError as error:
        return f"--config {config}: {error.strerror}"
    except UnicodeDecodeError as error:
        return f"--config {config}: not UTF-8 (byte {error.start}); save the file as UTF-8"
    except ValueError as error:
        return f"--config {config}: not TOML: {error}"
    return None


def _suggestion(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _describe(details: ErrorDetails) -> list[str]:
    """A line for each problem: where, what was given, what is wrong. A secret's value is never repeated."""
    name = ".".join(str(part) for part in details["loc"])
    if details["type"] == "extra_forbidden":
        return [f"{name}: there is no such setting{_suggestion(name, set(names()))}"]
    what = details["msg"].removeprefix("Value error, ")
    if unparsed := _UNPARSED.search(what):
        name = f"{unparsed[1]}.properties"
        return [f"{name} ({variable(name)}): not JSON; {_PROPERTIES_EXAMPLE}"]
    if not name:
        return what.splitlines()
    if name == "kafka.properties" and details["type"] == "value_error":
        return [f"{name}: {problem}" for problem in what.splitlines()]
    given = details["input"]
    hidden = isinstance(given, dict | BaseModel) or is_secret(name) or name.startswith(_MAY_HOLD_SECRETS)
    value = "" if hidden else f" = {given!r}"
    return [f"{name}{value} ({variable(name)}): {what[0].lower()}{what[1:]}"]
