"""The settings page, from `worker.settings`."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docgen.markdown import code, page, sentence, summary, table
from worker.settings import Settings
from worker.settings.origins import variable
from worker.settings.owned_properties import OWNED
from worker.settings.renamed import RENAMED

_INTRODUCTION = """\
Settings come from the environment, a `.env` file, a TOML file (`--config`) and flags, in this order, the later winning.
A variable is `SLUICE_`, the section, two underscores and the name; in TOML a section is a table; on the command line
`--set section.name=value` sets any of them.

```toml
[kafka]
bootstrap_servers = "broker-1:9092,broker-2:9092"
group_id = "moderation"

[batch]
max_records = 128
```

Unknown names are refused and all problems are reported at once. `sluice config` prints the settings in force as a file
that `--config` reads, with where each value comes from and secrets masked; it exits 2 when something is wrong."""

_TYPES = {
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "object": "JSON object",
    "array": "JSON array",
}
_UNITS = {"seconds": "seconds", "bytes": "bytes", "tokens": "tokens", "records": "records", "entries": "entries"}


def render() -> str:
    """The page."""
    return page("Settings", _INTRODUCTION, *_sections(Settings, ""), *_refused(), *_renamed())


def _refused() -> tuple[str, str, str]:
    text = "`kafka.properties` takes any librdkafka property but these, on which the worker's promises rest."
    rows = [[code(name), sentence(instead)] for name, instead in OWNED.items()]
    return "## Properties that are refused", text, table(["property", "instead, or why"], rows)


def _renamed() -> tuple[str, str, str]:
    text = "The old name is read until 1.0, with a warning."
    return (
        "## Names that changed",
        text,
        table(["old", "new"], [[code(old), code(new)] for old, new in RENAMED.items()]),
    )


def _sections(holder: type[BaseModel], prefix: str) -> Iterator[str]:
    """The sections within `holder`, each before those within it."""
    for name, field in holder.model_fields.items():
        if (section := _holder(field)) is not None:
            yield _section(prefix + name, section)
            yield from _sections(section, f"{prefix}{name}.")


def _section(name: str, section: type[BaseModel]) -> str:
    properties = section.model_json_schema(mode="validation")
    rows = [
        [code(variable(f"{name}.{field}")), written(info), _values(field, properties), info.description or ""]
        for field, info in section.model_fields.items()
        if _holder(info) is None
    ]
    header = ["variable", "default", "values", "what"]
    return f"## {name}\n\n{summary(section)}\n\n{table(header, rows)}"


def _holder(info: FieldInfo) -> type[BaseModel] | None:
    """The section that a field is; None for a setting."""
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def written(info: FieldInfo) -> str:
    """A default as a reader would write it."""
    default = info.get_default(call_default_factory=True)
    value = default.value if isinstance(default, Enum) else default
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple) and len(value) == 1:
        (value,) = value
    if isinstance(value, str) and value.isspace():
        value = repr(value).strip("'")
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(f"{value:g}" if isinstance(value, float) else value)


def _values(field: str, schema: dict[str, Any]) -> str:
    """What a setting takes, from its JSON Schema, with the unit that its name ends in."""
    description = schema["properties"][field]
    options = description.get("anyOf", [description])
    kinds = [_kind(option, schema) for option in options if option.get("type") != "null"]
    unit = _UNITS.get(field.rpartition("_")[2])
    return " or ".join(kinds) + (f" ({unit})" if unit else "")


def _kind(option: dict[str, Any], schema: dict[str, Any]) -> str:
    if "$ref" in option:
        option = schema["$defs"][option["$ref"].rpartition("/")[2]]
    if "const" in option:
        return code(option["const"])
    if "enum" in option:
        return ", ".join(map(code, option["enum"]))
    bounds = [
        f"{word} {option[key]:g}" if isinstance(option[key], float) else f"{word} {option[key]}"
        for key, word in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in option
    ]
    kind = option.get("type", "string")
    name = _TYPES.get(kind, kind)
    return ", ".join([name, *bounds])
