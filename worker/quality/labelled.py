"""Labelled texts from a file: columns with a 0/1 column for each label, or JSON lines.

A JSON line is `{"text": ..., "labels": ["toxic", ...]}`, or has a 0/1 or true/false field for each label; `labels` may
also be a 0 or 1 for each of the model's labels in its order, the form Hugging Face trains on. Labels of the model that
the file lacks are left out of the figures; other columns and fields are not read. Whatever else stands where a label
should be is refused: read as "clean", it would make every figure wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from worker.comments.file_comment import DEFAULT_LAYOUT, FileComment, Layout
from worker.comments.reading import read_comments
from worker.errors import SettingsInvalid

_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
_LIST = "labels"
_TRUTH = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
_UNRATED = {"-1", "-1.0"}


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts and the labels that people gave them.

    Attributes:
        texts: The texts, unchanged.
        labels: The labels that the file has, in the model's order.
        truth: 1 where a text has the label, else 0; shape [texts, labels].
        ids: The texts' ids, else file and line.
        languages: The texts' languages as the file has them; empty where it has none.
    """

    texts: list[str]
    labels: tuple[str, ...]
    truth: NDArray[np.float64]
    ids: list[str]
    languages: list[str]


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """A file of labelled texts and how to read it.

    Attributes:
        path: The file.
        layout: Where its texts are.
        skip_unrated: Leave out the rows in which a label is -1, which some data sets give to rows nobody rated.
        language_column: Column or field of a text's language.
    """

    path: Path
    layout: Layout = DEFAULT_LAYOUT
    skip_unrated: bool = False
    language_column: str = "language"


def read_labelled(file: LabelledFile, labels: Sequence[str]) -> LabelledTexts:
    """The texts of a file with their truth for those of `labels` that the file has.

    Raises:
        SettingsInvalid: The file cannot be read, has no texts or none of the labels, or a row is broken; the message
            names the line and never quotes a text.
    """
    path = file.path
    if path.suffix.lower() not in _SUFFIXES:
        message = f"{path} has no known suffix. Give labelled texts as {', '.join(_SUFFIXES)}."
        raise SettingsInvalid(message)
    texts: list[str] = []
    ids: list[str] = []
    languages: list[str] = []
    rows: list[list[bool]] = []
    found: tuple[str, ...] | None = None
    for comment in read_comments(path, file.layout):
        row = _Row(path, comment, labels)
        if found is None:
            found = row.present
        elif row.present != found:
            message = f"{path}, line {comment.line}: it has other labels than the first line. Give every line the same."
            raise SettingsInvalid(message)
        truth = row.truth(skip_unrated=file.skip_unrated)
        if truth is not None:
            texts.append(comment.text)
            ids.append(comment.id)
            languages.append(str(comment.fields.get(file.language_column) or ""))
            rows.append(truth)
    if found is not None and not found:
        message = f"{path} has none of the model's labels. Name its columns or fields as they are: {', '.join(labels)}."
        raise SettingsInvalid(message)
    if not texts or found is None:
        message = f"{path} has no texts. Name a file of labelled texts."
        raise SettingsInvalid(message)
    return LabelledTexts(texts, found, np.array(rows, dtype=np.float64), ids, languages)


class _Row:
    """One comment and what it says of the labels: a value for each, their names, or a 0/1 list in the model's order."""

    def __init__(self, path: Path, comment: FileComment, labels: Sequence[str]) -> None:
        self._path, self._comment, self._labels = path, comment, labels
        listed = comment.fields.get(_LIST)
        self._listed: list[Any] | None = listed if isinstance(listed, list) else None
        valued = tuple(label for label in labels if label in comment.fields)
        if self._listed is not None and valued:
            self._refuse(f"it has both a list {_LIST} and a value for {valued[0]}. Leave one of them out.")
        self.present = valued if self._listed is None else tuple(labels)

    def truth(self, *, skip_unrated: bool) -> list[bool] | None:
        """Whether the text has each present label; None for a row that is to be left out."""
        if self._listed is not None:
            return self._from_list(self._listed)
        values = [str(self._comment.fields[label]).strip().lower() for label in self.present]
        if skip_unrated and any(value in _UNRATED for value in values):
            return None
        return [self._value(label, value) for label, value in zip(self.present, values, strict=True)]

    def _value(self, label: str, value: str) -> bool:
        truth = _TRUTH.get(value)
        if truth is None and value in _UNRATED:
            self._refuse(f"{label} is -1: nobody rated this row. --skip-unrated leaves such rows out.")
        if truth is None:
            self._refuse(f"{label} must be 0 or 1.")
        return truth

    def _from_list(self, listed: list[Any]) -> list[bool]:
        if any(not isinstance(one, str) for one in listed):
            multi_hot = [_TRUTH.get(str(one).lower()) if not isinstance(one, str) else None for one in listed]
            if len(listed) != len(self._labels) or None in multi_hot:
                self._refuse(
                    f"{_LIST} holds numbers, but not a 0 or 1 for each of the model's {len(self._labels)} labels. "
                    f"Write the names of the labels: {', '.join(self._labels)}."
                )
            return [bool(one) for one in multi_hot]
        unknown = sorted(set(listed) - set(self._labels))
        if unknown:
            self._refuse(
                f"{_LIST} holds {unknown[0]!r}, a label that the model does not have; "
                f"its labels are {', '.join(self._labels)}."
            )
        return [label in listed for label in self._labels]

    def _refuse(self, what: str) -> NoReturn:
        message = f"{self._path}, line {self._comment.line}: {what}"
        raise SettingsInvalid(message)
