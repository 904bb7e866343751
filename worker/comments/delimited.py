"""Comments of a file with columns: CSV, tab-separated, or with semicolons, as many European spreadsheets write it."""

import csv
import sys
from collections.abc import Iterator

from worker.comments.file_comment import FileComment, Layout
from worker.comments.file_format import DELIMITERS, Detected, cells, column_of
from worker.comments.refusal import refusal, shown_text
from worker.documents.texts import joiner

_DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_delimited(lines: Iterator[str], name: str, detected: Detected, layout: Layout) -> Iterator[FileComment]:
    """The comments of the lines after the header; columns without a name are left out.

    Raises:
        SettingsInvalid: There is no column of texts, or a row does not fit the header.
    """
    for _ in range(detected.skip):
        next(lines, None)
    joined = joiner(layout.input)
    rows = csv.reader(lines, delimiter=detected.delimiter, strict=True)
    try:
        header = _next_row(rows) or []
        text_columns = _text_columns(header, name, detected, layout)
        id_column = column_of(header, layout.id_names)
        named = [column for column, title in enumerate(header) if title.strip()]
        if len({header[column].strip() for column in named}) < len(named):
            raise refusal(name, detected.skip + rows.line_num, "two columns have the same name. Rename one of them.")
        others = [column for column in named if column not in (*text_columns, id_column)]
        while (row := _next_row(rows)) is not None:
            line = detected.skip + rows.line_num
            if not row:
                continue
            if len(row) != len(header):
                what = f"{len(row)} fields, but the header has {len(header)}. Put quotes around a comment with "
                raise refusal(name, line, what + _DELIMITER_NAMES.get(detected.delimiter, "delimiters") + ".")
            comment_id = row[id_column] if id_column is not None else ""
            fields = {header[column].strip(): row[column] for column in others}
            texts = tuple(row[column] if column is not None else None for column in text_columns)
            text = shown_text(joined, texts, name, line)
            yield FileComment(comment_id or f"{name}:{line}", text, fields, line, comment_id or None, texts)
    except csv.Error as error:
        line = detected.skip + rows.line_num
        raise refusal(
            name, line, f"not CSV ({error}). Put quotes around a comment with a comma, quote or line break."
        ) from None


def _text_columns(header: list[str], name: str, detected: Detected, layout: Layout) -> list[int | None]:
    columns = [column_of(header, names) for names in layout.text_names]
    if any(column is not None for column in columns):
        return columns
    wanted = " or ".join(names[0] for names in layout.text_names)
    others = [sign for sign in DELIMITERS if sign != detected.delimiter and len(header) == 1]
    apart = next((sign for sign in others if len(cells(header[0], sign)) > 1), None)
    if apart is not None:
        what = f"its columns are separated by {_DELIMITER_NAMES[apart]}, and none is named {wanted}."
    else:
        what = f"no column is named {wanted}."
    raise refusal(name, detected.skip + 1, f"{what} Name the column with the comments: --text-column NAME.")


def _next_row(rows: Iterator[list[str]]) -> list[str] | None:
    """The next row, of any length. The csv module's field limit applies to the whole process, so it is restored."""
    before = csv.field_size_limit(sys.maxsize)
    row = None
    try:
        row = next(rows, None)
    finally:
        csv.field_size_limit(before)
    return row
