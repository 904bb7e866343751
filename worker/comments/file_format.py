"""Detects the format of a file of comments: by its suffix, else by its first line that is not blank.

A guess is checked, because a header or a bracket taken for a comment would be labelled, or sent, as one.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath

from worker.comments.file_comment import Layout
from worker.errors import SettingsInvalid

LOOK_CHARACTERS = 65_536
"""Characters of the first line that are examined: more than a header has, less than the csv module's own limit."""

DELIMITERS = ",;\t"

_SEPARATOR_LINE = "sep="
"""Prefix of a first line in which Excel names the delimiter."""


class Format(Enum):
    """The format of a file of comments."""

    DELIMITED = "columns"
    JSON_LINES = "JSON lines"
    PLAIN_LINES = "plain lines"


@dataclass(frozen=True, slots=True)
class Detected:
    """How to read a file.

    Attributes:
        format: Its format.
        delimiter: Character between columns.
        skip: Lines before the header: blank ones, and Excel's `sep=;`.
    """

    format: Format
    delimiter: str = ","
    skip: int = 0


_SUFFIXES = {
    ".csv": Format.DELIMITED,
    ".tsv": Format.DELIMITED,
    ".tab": Format.DELIMITED,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".json": Format.JSON_LINES,
    ".txt": Format.PLAIN_LINES,
}


def detect(path: PurePath, head: Sequence[str], layout: Layout) -> Detected:
    """The format of a file.

    Args:
        path: Its name; the suffix decides where it is a known one.
        head: Its first lines, up to the first one that is not blank and does not name the delimiter.
        layout: Names that its columns may have.

    Raises:
        SettingsInvalid: It is a JSON array, or its lines end in carriage returns alone.
    """
    suffix = path.suffix.lower()
    named = _SUFFIXES.get(suffix)
    first = next((line for line in head if line.strip()), "")
    start = first.lstrip()
    if "\r" in first.rstrip("\r\n") and not first.endswith("\n") and named is not Format.JSON_LINES:
        message = f"{path.name}: its lines end in carriage returns alone. Save it with Unix or Windows line ends."
        raise SettingsInvalid(message)
    if start.startswith("[") and named in {None, Format.JSON_LINES} and (named or start[1:].lstrip()[:1] in set("{]")):
        message = f"{path.name}: a JSON array. Write one object on each line (jq -c '.[]' does)."
        raise SettingsInvalid(message)
    if named is Format.JSON_LINES or (named is None and start.startswith("{")):
        return Detected(Format.JSON_LINES)
    if named is Format.PLAIN_LINES:
        return Detected(named)
    skip = next((number for number, line in enumerate(head) if line.strip()), 0)
    given = "\t" if suffix in {".tsv", ".tab"} else None
    if names_delimiter(first):
        given = start.strip()[-1]
        skip = next((number for number, line in enumerate(head) if number > skip and line.strip()), skip + 1)
        first = "".join(head[skip : skip + 1])
    for delimiter in (given,) if given else DELIMITERS:
        header = cells(first, delimiter)
        if any(column_of(header, names) is not None for names in layout.text_names):
            return Detected(Format.DELIMITED, delimiter, skip)
    return Detected(Format.DELIMITED, given or ",", skip) if named else Detected(Format.PLAIN_LINES)


def names_delimiter(line: str) -> bool:
    """Whether Excel wrote this line before the header to name the delimiter, as in `sep=;`."""
    text = line.strip().lower()
    return text.startswith(_SEPARATOR_LINE) and len(text) == len(_SEPARATOR_LINE) + 1


def cells(line: str, delimiter: str) -> list[str]:
    """The cells of a header within the examined characters; none if the line cannot be parsed."""
    try:
        return next(csv.reader([line[:LOOK_CHARACTERS].rstrip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []


def column_of(header: Sequence[str], names: Sequence[str]) -> int | None:
    """The column with one of the names, the earlier name first; capitals and blanks around a name do not count."""
    found = [cell.strip().casefold() for cell in header]
    return next((found.index(name.casefold()) for name in names if name.casefold() in found), None)
