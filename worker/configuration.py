"""Reads the settings from the environment, a `.env`, a TOML file and flags, the later winning, and reports all faults.

`pydantic-settings` does the reading. What it leaves open is closed here: a name that no setting has is refused wherever
it comes from, and every problem is told at once, with secrets masked.
"""

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from worker.errors import SettingsInvalid
from worker.settings import Settings

PREFIX = "SLUICE_"
DELIMITER = "__"
MASK = "***"

_PROPERTIES_EXAMPLE = 'write an object such as {"security.protocol": "SSL"}'

_SECRET_SIGNS = ("password", "secret", "token", "private", "jaas", "ssl.key.pem", "oauthbearer.config")


def load(config: Path | None = None, flags: Mapping[str, Any] | None = None, env_file: Path | None = None) -> Settings:
    """The effective settings.

    Args:
        config: TOML file with a table for each section.
        flags: Values by dotted name (`kafka.group_id`); strings are read as the environment's are.
        env_file: File of `SLUICE_...=value` lines; none: `.env` in the working folder, where there is one.

    Raises:
        SettingsInvalid: Every problem found, a line each.
    """
    env_path = env_file if env_file is not None else Path(".env")
    problems = [*_unknown_variables(os.environ, "the environment"), *_unknown_in_file(env_path)]
    if config is not None and (fault := _unreadable(config)):
        problems.append(fault)
        config = None
    overrides, flag_problems = _nest(flags or {})
    problems += flag_problems
    try:
        read = _reader(config, env_path).model_validate(overrides)
        settings = Settings.model_validate(read.model_dump())
    except ValidationError as fault:
        problems += [_describe(error) for error in fault.errors()]
    else:
        if not problems:
            return settings
    message = "settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems)
    raise SettingsInvalid(message)


def shown(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, secrets masked: for `sluice config`."""
    values = settings.model_dump(mode="json")
    properties = values["kafka"]["properties"]
    values["kafka"]["properties"] = {name: MASK if is_secret(name) else value for name, value in properties.items()}
    return values


def is_secret(name: str) -> bool:
    """True for a librdkafka property whose value must not be shown."""
    return any(sign in name.lower() for sign in _SECRET_SIGNS)


def variable(name: str) -> str:
    """The environment variable of a dotted name."""
    return PREFIX + name.replace(".", DELIMITER).upper()


def names() -> Iterator[str]:
    """Dotted names of all settings."""
    for section, holder in Settings.model_fields.items():
        fields = holder.annotation
        assert isinstance(fields, type) and issubclass(fields, BaseModel)  # noqa: S101, PT018 - sections are models
        for name in fields.model_fields:
            yield f"{section}.{name}"


def _reader(config: Path | None, env_file: Path) -> type[BaseSettings]:
    """A settings class that reads the given files; flags come in as arguments and win."""

    class Reader(Settings, BaseSettings):
        model_config = SettingsConfigDict(
            env_prefix=PREFIX,
            env_nested_delimiter=DELIMITER,
            env_file=env_file,
            env_file_encoding="utf-8",
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
            del file_secret_settings
            return init_settings, TomlConfigSettingsSource(settings_cls), dotenv_settings, env_settings

    return Reader


def _nest(flags: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Flags by dotted name as sections, JSON in strings decoded where the setting is a mapping; unknown ones told."""
    known = set(names())
    nested: dict[str, dict[str, Any]] = {}
    problems = []
    for name, value in flags.items():
        if name not in known:
            problems.append(f"{name}: there is no such setting{_suggestion(name, known)}")
            continue
        section, field = name.split(".")
        nested.setdefault(section, {})[field] = value
    properties = nested.get("kafka", {}).get("properties")
    if isinstance(properties, str):
        try:
            nested["kafka"]["properties"] = json.loads(properties)
        except ValueError:
            problems.append(f"kafka.properties: not JSON; {_PROPERTIES_EXAMPLE}")
            del nested["kafka"]["properties"]
    return nested, problems


def _unknown_variables(variables: Mapping[str, str | None], where: str) -> Iterator[str]:
    known = {variable(name) for name in names()} | {PREFIX + section.upper() for section in Settings.model_fields}
    for name in sorted(variables):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            yield f"{name} in {where}: there is no such setting{_suggestion(name.upper(), known)}"


def _unknown_in_file(path: Path) -> Iterator[str]:
    if path.is_file():
        yield from _unknown_variables(dotenv_values(path), str(path))


def _unreadable(config: Path) -> str | None:
    try:
        tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as fault:
        return f"--config {config}: {fault.strerror}"
    except ValueError as fault:
        return f"--config {config}: not TOML: {fault}"
    return None


def _suggestion(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _describe(error: ErrorDetails) -> str:
    """One line for one fault: where, what was given, what is wrong. A secret's value is never repeated."""
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{_suggestion(name, set(names()))}"
    what = error["msg"].removeprefix("Value error, ")
    if "error parsing value for field" in what:
        return f"kafka.properties ({variable('kafka.properties')}): not JSON; {_PROPERTIES_EXAMPLE}"
    if not name:
        return what
    given = error["input"]
    # Of kafka.properties nothing is repeated, whatever it was given as: passwords are among them.
    hidden = isinstance(given, dict | BaseModel) or is_secret(name) or name.startswith("kafka.properties")
    value = "" if hidden else f" = {given!r}"
    return f"{name}{value} ({variable(name)}): {what[0].lower()}{what[1:]}"
