"""The generated pages: each file name with the function that renders it."""

from collections.abc import Callable
from pathlib import Path

from docgen import asyncapi, commands, dead_letters, events, exit_codes, metrics, python_names, settings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings.render,
    "metrics.md": metrics.render,
    "events.md": events.render,
    "asyncapi.md": asyncapi.render,
    "dead-letter-reasons.md": dead_letters.render,
    "exit-codes.md": exit_codes.render,
    "commands.md": commands.render,
    "python.md": python_names.render,
}
