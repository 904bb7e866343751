"""Labelled texts from a file: CSV with a `text` column and a 0/1 column for each label, or JSON lines.

A JSON line is `{"text": ..., "labels": ["toxic", ...]}`, or has a 0/1 or true/false field for each label. A label that
the model has and the file lacks is left out of the figures; other columns and fields are not read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.comments.reading import FileComment, read_comments
from worker.errors import SettingsInvalid

_SUFFIXES = (".csv", ".jsonl", ".ndjson")
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
    if path.suffix.lower() not in _SUFFIXES:
        message = f"{path}: give labelled texts as .csv, .jsonl or .ndjson"
        raise SettingsInvalid(message)
    texts: list[str] = []
    rows: list[list[bool]] = []
    found: tuple[str, ...] = ()
    for comment in read_comments(path):
        named = _named(comment)
        spoken = tuple(label for label in labels if named is not None or label in comment.fields)
        if not texts:
            found = spoken
        elif spoken != found:
            message = f"{path}, line {comment.line}: it speaks of other labels than the first line"
            raise SettingsInvalid(message)
        texts.append(comment.text)
        rows.append([_truth(path, comment, label) if named is None else label in named for label in found])
    if not texts:
        message = f"{path} has no texts"
        raise SettingsInvalid(message)
    if not found:
        message = f"{path} speaks of none of the model's labels: {', '.join(labels)}"
        raise SettingsInvalid(message)
    return LabelledTexts(texts, found, np.array(rows, dtype=np.float64))


def _named(comment: FileComment) -> list[Any] | None:
    """The names of the labels a text has; None where each label has a value of its own."""
    names = comment.fields.get("labels")
    return names if isinstance(names, list) else None


def _truth(path: Path, comment: FileComment, label: str) -> bool:
    truth = _TRUTH.get(str(comment.fields[label]).strip().lower())
    if truth is None:
        message = f"{path}, line {comment.line}: {label} must be 0 or 1"
        raise SettingsInvalid(message)
    return truth
