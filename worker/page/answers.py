"""Answers as JSON and as CSV, from whatever a record may hold."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse, Response

from worker.page.unknown import Json, is_unknown

_FORMULAS = (
    *"=+-@",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
"""What a spreadsheet takes for a formula that begins a cell, also behind white space (OWASP, "CSV Injection")."""


class SafeJson(JSONResponse):
    """JSON in ASCII: a lone surrogate, which UTF-8 can't write, goes out as the escape it came in."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return dumped(content).encode("ascii")


def dumped(content: Json) -> str:
    """JSON in ASCII on one line."""
    return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def csv_response(rows: Iterable[Mapping[str, Json]], columns: Sequence[str], name: str) -> Response:
    """A table to download; nested values as JSON, and no cell that a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    body = out.getvalue().encode(errors="backslashreplace")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Json) -> str | int | float:
    if value is None or is_unknown(value):
        return ""
    if isinstance(value, bool | dict | list | tuple):
        return dumped(value) if not isinstance(value, tuple) else dumped(list(value))
    if isinstance(value, str) and (value.startswith(_FORMULAS) or value[:1].isspace()):
        return f"'{value}"
    return value if isinstance(value, str | int | float) else str(value)
