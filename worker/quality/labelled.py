"""Labelled texts from a file: CSV with a `text` column and a 0/1 column for each label, or JSON lines.

A JSON line is `{"text": ..., "labels": ["toxic", ...]}`, or has a 0/1 or true/false field for each label. A label that
the model has and the file lacks is left out of the figures; other columns and fields are not read.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.errors import SettingsInvalid

TEXT_COLUMNS = ("text", "comment_text")
"""Names a column of texts may have; the second is the Jigsaw challenge's."""

_TRUTH = {"0": False, "1": True, "false": False, "true": True}


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts and what people said of them.

    Attributes:
        texts: As they were written.
        labels: The labels the file speaks of, in the model's order.
        truth: 1 where a text has the label, else 0; shape [texts, labels].
    """

    texts: list[str]
    labels: tuple[str, ...]
    truth: NDArray[np.float64]


def read_labelled(path: Path, labels: Sequence[str]) -> LabelledTexts:
    """The texts of a file with their truth for those of `labels` that it speaks of.

    Raises:
        SettingsInvalid: It can't be read, has no texts, speaks of none of the labels, or a row is broken; the message
            names the line and never quotes a text.
    """
    kind = path.suffix.lower()
    readers = {".csv": _csv_rows, ".jsonl": _json_rows, ".ndjson": _json_rows}
    if kind not in readers:
        message = f"{path}: give labelled texts as .csv, .jsonl or .ndjson"
        raise SettingsInvalid(message)
    texts: list[str] = []
    rows: list[list[bool]] = []
    found: tuple[str, ...] = ()
    try:
        for line, text, given in readers[kind](path):
            spoken = tuple(label for label in labels if label in given) if isinstance(given, dict) else tuple(labels)
            if not texts:
                found = spoken
            elif spoken != found:
                message = f"{path}, line {line}: it speaks of other labels than the first line"
                raise SettingsInvalid(message)
            texts.append(text)
            rows.append([_truth(path, line, label, given) for label in found])
    except OSError as fault:
        message = f"{path} can't be read: {fault.strerror}"
        raise SettingsInvalid(message) from None
    except UnicodeDecodeError as fault:
        message = f"{path} is not UTF-8 (byte {fault.start} of a block): save it as UTF-8"
        raise SettingsInvalid(message) from None
    if not texts:
        message = f"{path} has no texts"
        raise SettingsInvalid(message)
    if not found:
        message = f"{path} speaks of none of the model's labels: {', '.join(labels)}"
        raise SettingsInvalid(message)
    return LabelledTexts(texts, found, np.array(rows, dtype=np.float64))


Row = tuple[int, str, dict[str, Any] | list[Any]]
"""Line number, text, and either a value for each label or the names of those the text has."""


def _csv_rows(path: Path) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)  # a comment may be longer than the module's 128 KiB
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            column = next((name for name in TEXT_COLUMNS if name in (reader.fieldnames or ())), None)
            if column is None:
                message = f"{path} has no column named text"
                raise SettingsInvalid(message)
            for row in reader:
                if row[column] is None or None in row:
                    message = f"{path}, line {reader.line_num}: it has another number of fields than the header"
                    raise SettingsInvalid(message)
                yield reader.line_num, row[column], row
        except csv.Error as fault:
            message = f"{path}, line {reader.line_num}: not CSV: {fault}"
            raise SettingsInvalid(message) from None


def _json_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for line, content in enumerate(file, start=1):
            if not content.strip():
                continue
            try:
                row = json.loads(content)
            except ValueError:
                row = None
            if not isinstance(row, dict) or not isinstance(row.get("text"), str):
                message = f'{path}, line {line}: not a JSON object with a string "text"'
                raise SettingsInvalid(message)
            yield line, row["text"], row["labels"] if isinstance(row.get("labels"), list) else row


def _truth(path: Path, line: int, label: str, given: dict[str, Any] | list[Any]) -> bool:
    if isinstance(given, list):
        return label in given
    truth = _TRUTH.get(str(given[label]).strip().lower())
    if truth is None:
        message = f"{path}, line {line}: {label} must be 0 or 1"
        raise SettingsInvalid(message)
    return truth
