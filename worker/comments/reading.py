"""Comments from a file or standard input: CSV with a `text` column, JSON lines, or plain lines; streamed, in UTF-8.

The text may also be called `comment_text`, as in the Jigsaw challenge's data.

The file's suffix decides the format (`.csv`; `.jsonl`, `.ndjson`, `.json`; `.txt`). Otherwise the first line does: an
object means JSON lines, a header with a `text` column means CSV, anything else means plain lines.
"""

import csv
import json
import sys
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from worker.errors import SettingsInvalid

STDIN = "-"
"""The file name that means standard input."""

_ID = "id"
_TEXT = "text"
_TEXT_NAMES = (_TEXT, "comment_text")
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class FileComment(NamedTuple):
    """A comment read from a file.

    Attributes:
        id: The id it has in the file, else the file's name and the line.
        text: The text of the comment.
        fields: Everything else that came with it: other columns (strings) or members (any JSON value).
        line: Line of the file on which it ends, counted from 1.
    """

    id: str
    text: str
    fields: dict[str, Any]
    line: int

    def value(self) -> bytes:
        """The comment as the value of a record: one JSON object in UTF-8."""
        event = {_ID: self.id, _TEXT: self.text, **self.fields}
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


class Format(Enum):
    """The format of a file of comments."""

    CSV = "CSV"
    JSON_LINES = "JSON lines"
    PLAIN_LINES = "plain lines"


_SUFFIXES = {
    ".csv": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".json": Format.JSON_LINES,
    ".txt": Format.PLAIN_LINES,
}


def read_comments(path: Path) -> Iterator[FileComment]:
    """The comments of a file (`-`: standard input), one at a time; empty lines are skipped.

    Raises:
        SettingsInvalid: The file cannot be opened, or a line is not a comment; the message gives the line's number.
    """
    name = "stdin" if str(path) == STDIN else path.name
    with ExitStack() as stack:
        if str(path) == STDIN:
            raw = sys.stdin.buffer
        else:
            try:
                raw = stack.enter_context(path.open("rb"))
            except OSError as error:
                message = f"{path} cannot be read: {error.strerror}. Name a file of comments."
                raise SettingsInvalid(message) from None
        lines = _decoded(raw, name)
        first = next(lines, None)
        if first is not None:
            wanted = _SUFFIXES.get(path.suffix.lower()) or _sniff(first)
            yield from _READERS[wanted](chain([first], lines), name)


def _sniff(line: str) -> Format:
    if line.lstrip().startswith("{"):
        return Format.JSON_LINES
    return Format.CSV if _text_name(next(csv.reader([line]), [])) else Format.PLAIN_LINES


def _text_name(names: Container[str]) -> str | None:
    """The name that the text has among the columns or members; None when there is no text."""
    return next((name for name in _TEXT_NAMES if name in names), None)


def _decoded(raw: Any, name: str) -> Iterator[str]:
    """The lines with their line endings, decoded one by one so that an error can name its line."""
    for number, line in enumerate(raw, 1):
        try:
            text: str = line.decode()
        except UnicodeDecodeError:
            _refuse(name, number, "not UTF-8. Save the file as UTF-8.")
        yield text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text


def _csv(lines: Iterator[str], name: str) -> Iterator[FileComment]:
    csv.field_size_limit(sys.maxsize)  # by default, the csv module rejects a long comment
    rows = csv.reader(lines, strict=True)
    header: list[str] = []
    try:
        header = next(rows)
        text_name = _text_name(header)
        if text_name is None:
            _refuse(name, 1, f"no column is named {_TEXT}. Give that name to the column with the comments.")
        if len(set(header)) < len(header):
            _refuse(name, 1, "two columns have the same name. Rename one of them.")
        for row in rows:
            if row:
                yield _from_row(dict(_paired(header, row, name, rows.line_num)), text_name, name, rows.line_num)
    except csv.Error as error:
        _refuse(
            name, rows.line_num, f"not CSV ({error}). Put quotes around a comment with a comma, quote or line break."
        )


def _paired(header: list[str], row: list[str], name: str, line: int) -> Iterator[tuple[str, str]]:
    if len(row) != len(header):
        what = f"{len(row)} fields, but the header has {len(header)}. Put quotes around a comment with commas."
        _refuse(name, line, what)
    return zip(header, row, strict=True)


def _from_row(row: dict[str, str], text_name: str, name: str, line: int) -> FileComment:
    text = row.pop(text_name)
    return FileComment(row.pop(_ID, "") or f"{name}:{line}", text, row, line)


def _json_lines(lines: Iterator[str], name: str) -> Iterator[FileComment]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            _refuse(name, number, 'not JSON. Each line must be an object such as {"id": "c-1", "text": "..."}.')
        if not isinstance(found, dict):
            _refuse(name, number, 'not an object. Write one such as {"id": "c-1", "text": "..."}.')
        yield _from_object(found, name, number)


def _from_object(found: dict[str, Any], name: str, line: int) -> FileComment:
    text, given = found.pop(_text_name(found) or _TEXT, None), found.pop(_ID, None)
    if not isinstance(text, str):
        _refuse(name, line, f"{_TEXT} is missing or not a string. Add it to the object.")
    if given is not None and (isinstance(given, bool) or not isinstance(given, str | int)):
        _refuse(name, line, f"{_ID} must be a string or a whole number. Leave it out to use the line's number.")
    comment = FileComment(f"{name}:{line}" if given is None else str(given), text, found, line)
    try:
        comment.value()
    except UnicodeEncodeError:
        _refuse(name, line, r"a lone surrogate (such as \ud800) is not a character. Remove it.")
    return comment


def _plain_lines(lines: Iterator[str], name: str) -> Iterator[FileComment]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield FileComment(f"{name}:{number}", line.rstrip("\r\n"), {}, number)


_READERS: dict[Format, Callable[[Iterator[str], str], Iterator[FileComment]]] = {
    Format.CSV: _csv,
    Format.JSON_LINES: _json_lines,
    Format.PLAIN_LINES: _plain_lines,
}


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _refuse(name: str, line: int, what: str) -> NoReturn:
    """Raise an error that names the line and what is wrong with it, without quoting it."""
    message = f"{name}, line {line}: {what}"
    raise SettingsInvalid(message)
