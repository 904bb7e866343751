"""Labelled texts from a file: CSV with a `text` column and a 0/1 column for each label, or JSON lines.

A JSON line is `{"text": ..., "labels": ["toxic", ...]}`, or has a 0/1 or true/false field for each label. Labels of the
model that the file lacks are left out of the figures; other columns and fields are not read.
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
    """Texts and the labels that people gave them.

    Attributes:
        texts: The texts, unchanged.
        labels: The labels that the file has, in the model's order.
        truth: 1 where a text has the label, else 0; shape [texts, labels].
    """

    texts: list[str]
    labels: tuple[str, ...]
    truth: NDArray[np.float64]


def read_labelled(path: Path, labels: Sequence[str]) -> LabelledTexts:
    """The texts of a file with their truth for those of `labels` that the file has.

    Raises:
        SettingsInvalid: The file cannot be read, has no texts or none of the labels, or a row is broken; the message
            names the line and never quotes a text.
    """
    if path.suffix.lower() not in _SUFFIXES:
        message = f"{path} has no known suffix. Give labelled texts as .csv, .jsonl or .ndjson."
        raise SettingsInvalid(message)
    texts: list[str] = []
    rows: list[list[bool]] = []
    found: tuple[str, ...] = ()
    for comment in read_comments(path):
        named = _named(comment)
        present = tuple(label for label in labels if named is not None or label in comment.fields)
        if not texts:
            found = present
        elif present != found:
            message = f"{path}, line {comment.line}: it has other labels than the first line. Give every line the same."
            raise SettingsInvalid(message)
        texts.append(comment.text)
        rows.append([_truth(path, comment, label) if named is None else label in named for label in found])
    if not texts:
        message = f"{path} has no texts. Name a file of labelled texts."
        raise SettingsInvalid(message)
    if not found:
        message = f"{path} has none of the model's labels. Name its columns or fields as they are: {', '.join(labels)}."
        raise SettingsInvalid(message)
    return LabelledTexts(texts, found, np.array(rows, dtype=np.float64))


def _named(comment: FileComment) -> list[Any] | None:
    """The names of the labels of a text; None where each label has its own value."""
    names = comment.fields.get("labels")
    return names if isinstance(names, list) else None


def _truth(path: Path, comment: FileComment, label: str) -> bool:
    truth = _TRUTH.get(str(comment.fields[label]).strip().lower())
    if truth is None:
        message = f"{path}, line {comment.line}: {label} must be 0 or 1."
        raise SettingsInvalid(message)
    return truth
