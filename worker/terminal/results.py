"""Writes the results of classified texts: lines for a person, JSON lines, or a file of columns, each with an id."""

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TextIO

from worker.errors import SettingsInvalid
from worker.events.label_event import reasons_info
from worker.terminal.columns import columns_of
from worker.terminal.rendering import WHOLE, Scored, failure_line, json_object, reason_lines, text_line
from worker.types import Classification, Unscorable

if TYPE_CHECKING:
    from worker.comments.file_comment import FileComment

SUFFIXES = (".csv", ".jsonl", ".parquet")

_LABELS_BETWEEN = ";"


class Results(Protocol):
    """Takes the result of each text, in order."""

    def write(self, comment: "FileComment", found: Classification | Unscorable) -> None:
        """Take one result."""

    def close(self) -> None:
        """Finish what was written."""


class Lines:
    """A line for each text, on stdout or in a file: for a person, or a JSON object."""

    def __init__(
        self, model: Scored, out: TextIO, *, as_json: bool, with_text: bool, with_reasons: bool = False
    ) -> None:
        self._model, self._out, self._as_json, self._with_text = model, out, as_json, with_text
        self._with_reasons = with_reasons
        self._columns = columns_of(out)

    def write(self, comment: "FileComment", found: Classification | Unscorable) -> None:
        """Write the line."""
        if self._as_json:
            line = json.dumps(_object(comment, found, self._model, with_text=self._with_text), ensure_ascii=False)
        elif isinstance(found, Unscorable):
            line = failure_line(comment.text, found)
        else:
            line = text_line(comment.text, found, self._columns)
            if self._with_reasons:
                line = "\n".join([line, *reason_lines(comment.text, found)])
        self._out.write(line + "\n")

    def close(self) -> None:
        """Make the lines visible, and close a file."""
        self._out.flush()
        if self._out is not sys.stdout:
            self._out.close()


class Columns:
    """A CSV file: id, the text if asked for, whether it is flagged, its labels, a score for each label, and the error.

    Args:
        file: Open for writing, with `newline=""`.
        labels: The model's labels, in its order; each has a column.
        with_text: Whether the text has a column.
        with_reasons: Whether the words that carry the labels have one, as the JSON of the label event's `reasons`.
    """

    def __init__(self, file: IO[str], labels: Sequence[str], *, with_text: bool, with_reasons: bool = False) -> None:
        self._file, self._labels = file, labels
        self._with_text, self._with_reasons = with_text, with_reasons
        self._rows = csv.writer(file)
        self._rows.writerow(column_names(labels, with_text=with_text, with_reasons=with_reasons))

    def write(self, comment: "FileComment", found: Classification | Unscorable) -> None:
        """Write the row."""
        row = columns(comment, found, self._labels, with_text=self._with_text, with_reasons=self._with_reasons)
        self._rows.writerow(map(_cell, row))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Table:
    """A Parquet file with the same columns; the rows are held until the end.

    Raises:
        SettingsInvalid: pyarrow is not installed.
    """

    def __init__(self, path: Path, labels: Sequence[str], *, with_text: bool, with_reasons: bool = False) -> None:
        try:
            import pyarrow as pa  # noqa: PLC0415, F401 - an extra; asked for before anything is scored
        except ModuleNotFoundError:
            message = (
                f"{path}: Parquet needs pyarrow: pip install 'sluice-worker[parquet]'. Or name a .csv or .jsonl file."
            )
            raise SettingsInvalid(message) from None
        self._path, self._labels = path, labels
        self._with_text, self._with_reasons = with_text, with_reasons
        self._rows: list[tuple[Any, ...]] = []

    def write(self, comment: "FileComment", found: Classification | Unscorable) -> None:
        """Keep the row."""
        row = columns(comment, found, self._labels, with_text=self._with_text, with_reasons=self._with_reasons)
        self._rows.append(row)

    def close(self) -> None:
        """Write the file."""
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        kinds = {"flagged": pa.bool_(), "labels": pa.list_(pa.string())}
        names = column_names(self._labels, with_text=self._with_text, with_reasons=self._with_reasons)
        text = {"id", "text", "reasons", "error"}
        schema = pa.schema(
            [(name, kinds.get(name) or (pa.string() if name in text else pa.float64())) for name in names]
        )
        values = zip(*self._rows, strict=True) if self._rows else ([] for _ in names)
        arrays = [
            pa.array([list(one) if isinstance(one, tuple) else one for one in column], field.type)
            for column, field in zip(values, schema, strict=True)
        ]
        parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), self._path)


def results_file(
    path: Path, model: Scored, labels: Sequence[str], *, with_text: bool, with_reasons: bool = False
) -> Results:
    """The results in a new file; its suffix says how.

    Raises:
        SettingsInvalid: The suffix is none of `SUFFIXES`, the file exists or cannot be written, or pyarrow is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        message = f"{path}: results go to {', '.join(SUFFIXES)}. Give the file one of these suffixes."
        raise SettingsInvalid(message)
    if suffix == ".parquet":
        if path.exists():
            message = f"{path} cannot be written: File exists. Name a new file."
            raise SettingsInvalid(message)
        return Table(path, labels, with_text=with_text, with_reasons=with_reasons)
    try:
        file = path.open("x", encoding="utf-8", newline="" if suffix == ".csv" else None)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}. Name a new file."
        raise SettingsInvalid(message) from None
    if suffix == ".csv":
        return Columns(file, labels, with_text=with_text, with_reasons=with_reasons)
    return Lines(model, file, as_json=True, with_text=with_text)


def results_on_stdout(model: Scored, *, as_json: bool, with_text: bool, with_reasons: bool = False) -> Results:
    """The results as lines on stdout; for a person with the words that carry each label, where they are asked for."""
    return Lines(model, sys.stdout, as_json=as_json, with_text=with_text, with_reasons=with_reasons)


def column_names(labels: Sequence[str], *, with_text: bool, with_reasons: bool = False) -> list[str]:
    """Names of the columns, in order."""
    reasons = ["reasons"] if with_reasons else []
    return ["id", *(["text"] if with_text else []), "flagged", "labels", *labels, *reasons, "error"]


def columns(
    comment: "FileComment",
    found: Classification | Unscorable,
    labels: Sequence[str],
    *,
    with_text: bool,
    with_reasons: bool = False,
) -> tuple[Any, ...]:
    """Values of the columns; scores and verdict are None for a text that could not be scored."""
    text = (comment.text,) if with_text else ()
    if isinstance(found, Unscorable):
        return (comment.id, *text, None, None, *(None for _ in labels), *([None] if with_reasons else []), found.error)
    reasons = None if found.reasons is None else json.dumps(reasons_info(found.reasons, WHOLE), ensure_ascii=False)
    scores = (found.scores[label] for label in labels)
    return (comment.id, *text, found.flagged, found.labels, *scores, *([reasons] if with_reasons else []), None)


def _cell(value: Any) -> str:
    """A value as CSV holds it: nothing for None, `true` and `false`, labels with semicolons between them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _LABELS_BETWEEN.join(value) if isinstance(value, tuple) else str(value)


def _object(
    comment: "FileComment", found: Classification | Unscorable, model: Scored, *, with_text: bool
) -> dict[str, Any]:
    """The JSON object of a text: its id first, then what was found."""
    named = {"id": comment.id, **({"comment": comment.text} if with_text else {})}
    if isinstance(found, Unscorable):
        return {**named, "error": found.error, "reason": found.reason}
    return {**named, **json_object(found, model)}
