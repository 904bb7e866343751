"""Writes a report: the page, and its figures as JSON beside it."""

import json
from pathlib import Path

from worker.errors import SettingsInvalid
from worker.quality.report.figures import Report
from worker.quality.report.page import page

_SUFFIXES = (".html", ".htm")


def check_path(path: Path) -> None:
    """Return if a report may have this name; checked before the texts are scored, which takes a while.

    Raises:
        SettingsInvalid: It has another suffix.
    """
    if path.suffix.lower() not in _SUFFIXES:
        message = f"--report {path}: the report is an HTML file. Give it the suffix .html."
        raise SettingsInvalid(message)


def write_report(path: Path, report: Report) -> tuple[Path, Path]:
    """Write the page to `path`, and the figures to the file of the same name that ends in .json; return both.

    Raises:
        SettingsInvalid: A file cannot be written.
    """
    figures = path.with_suffix(".json")
    try:
        path.write_text(page(report), encoding="utf-8")
        figures.write_text(json.dumps(report.as_json(), ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        message = f"--report {path} cannot be written: {error.strerror}. Name another file."
        raise SettingsInvalid(message) from None
    return path, figures
