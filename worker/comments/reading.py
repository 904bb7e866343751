"""Comments from a file or standard input: columns, JSON lines or plain lines; streamed, in UTF-8."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from worker.comments.delimited import read_delimited
from worker.comments.file_comment import DEFAULT_LAYOUT, FileComment, Layout
from worker.comments.file_format import Format, detect, names_delimiter
from worker.comments.json_lines import read_json_lines
from worker.comments.refusal import refusal, shown_text
from worker.documents.texts import joiner
from worker.errors import SettingsInvalid

STDIN = "-"
"""The file name that means standard input."""

_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_OTHER_FILES = (
    (b"\x1f\x8b", "gzip. Unpack it first (gzip -d)."),
    (b"\xff\xfe", "UTF-16. Save the file as UTF-8."),
    (b"\xfe\xff", "UTF-16. Save the file as UTF-8."),
    (b"PK\x03\x04", "a ZIP or Excel file. Save it as CSV in UTF-8."),
    (b"PAR1", "Parquet. Save it as CSV or JSON lines."),
)
"""First bytes of files that are not text in UTF-8, what they are, and what to do."""


def read_comments(path: Path, layout: Layout = DEFAULT_LAYOUT, *, blank_lines: bool = False) -> Iterator[FileComment]:
    """The comments of a file, one at a time.

    The suffix decides the format (`.csv`, `.tsv`, `.tab`; `.jsonl`, `.ndjson`, `.json`; `.txt`), else the first line:
    an object means JSON lines, a header with a column of texts means columns, anything else plain lines.

    Args:
        path: The file; `-` is standard input.
        layout: Where ids and texts are; by default `id` and `text`.
        blank_lines: Plain lines that are blank are comments, too, so that results stay in step with the file.

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
        head = _head(lines)
        if not head:
            return
        detected = detect(Path(name), head, layout)
        everything = chain(head, lines)
        if detected.format is Format.DELIMITED:
            yield from read_delimited(everything, name, detected, layout)
        elif detected.format is Format.JSON_LINES:
            yield from read_json_lines(everything, name, layout)
        else:
            joined = joiner(layout.input)
            for number, line in enumerate(everything, 1):
                if blank_lines or line.strip():
                    written = line.rstrip("\r\n")
                    text = shown_text(joined, [written], name, number)
                    yield FileComment(f"{name}:{number}", text, {}, number, texts=(written,))


def _head(lines: Iterator[str]) -> list[str]:
    """The first lines up to the header: enough to detect the format.

    No line more is read, because somebody who types at a terminal waits for the answer to the first one.
    """
    head: list[str] = []
    for line in lines:
        head.append(line)
        if line.strip() and not names_delimiter(line):
            break
    return head


def _decoded(raw: Any, name: str) -> Iterator[str]:
    """The lines with their line endings, decoded one by one so that an error can name its line."""
    for number, line in enumerate(raw, 1):
        try:
            text: str = line.decode()
        except UnicodeDecodeError:
            begins = next((what for sign, what in _OTHER_FILES if number == 1 and line.startswith(sign)), None)
            raise refusal(name, number, begins or "not UTF-8. Save the file as UTF-8.") from None
        yield text.removeprefix(_BYTE_ORDER_MARK) if number == 1 else text
