"""`sluice config`: the effective settings as a file that `--config` reads, secrets masked."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from worker.settings import Settings
from worker.settings.configuration import names, shown
from worker.settings.origins import Origins
from worker.settings.secrets import MASK

EXAMPLE = "sluice config --config sluice.toml"

_SILENT = {"log_level": 0}
"""A client connects as soon as it exists; a broker that is away is not an error in the settings."""


_SECTIONS = frozenset(name.rpartition(".")[0] for name in names())
"""Dotted names of everything that holds settings; any other table is the value of one."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print the settings; loading them has checked them, librdkafka checks its own properties."""
    from confluent_kafka import Consumer, Producer

    from worker.kafka.client.properties import consumer_properties, make_client, producer_properties

    make_client(Consumer, {**consumer_properties(settings), **_SILENT}).close()
    make_client(Producer, {**producer_properties(settings), **_SILENT})
    values = shown(settings)
    if arguments.json:
        sys.stdout.write(json.dumps(values) + "\n")
        return
    origins: Origins = arguments.origins
    for section, fields in values.items():
        sys.stdout.write("\n".join(_table(section, fields, origins)) + "\n\n")


def _table(section: str, fields: Mapping[str, Any], origins: Origins) -> Iterator[str]:
    """A section as TOML; a table within it comes last, as TOML requires."""
    yield f"[{section}]"
    tables = {name: value for name, value in fields.items() if isinstance(value, Mapping)}
    for name, value in fields.items():
        if name not in tables:
            yield _line(name, value, origins.of(f"{section}.{name}"))
    for name, table in tables.items():
        if f"{section}.{name}" in _SECTIONS:
            yield ""
            yield from _table(f"{section}.{name}", table, origins)
        elif table:
            yield f"\n[{section}.{name}]  # {origins.of(f'{section}.{name}')}"
            yield from (_line(json.dumps(key), value, "") for key, value in table.items())


def _line(name: str, value: Any, origin: str) -> str:
    """One setting; what TOML cannot hold (none) and what must not be shown stand in a comment."""
    comment = f"  # {origin}" if origin else ""
    if value is None:
        return f"# {name} is not set"
    if value == MASK:
        return f"# {name} is secret and not shown"
    return f"{name} = {_written(value)}{comment}"


def _written(value: Any) -> str:
    """The value as TOML, which is JSON but for the tables in a list."""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_written(member)}' for name, member in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)
