"""How a line is divided among id, verdict and text: by the width of the terminal, from 120 columns down to 40."""

import shutil
from collections.abc import Mapping, Sequence
from typing import TextIO

WIDE = 120
"""Columns of a line where there is no terminal to measure, such as in a file or a pipe."""

_ID = 8
_VERDICT = 48
_GAPS = 4


def columns_of(stream: TextIO) -> int:
    """The width of the terminal behind a stream; `WIDE` if there is none."""
    return shutil.get_terminal_size((WIDE, 24)).columns if stream.isatty() else WIDE


def verdict_columns(columns: int) -> int:
    """Columns of labels and scores: two fifths of a line, and no more than five labels need."""
    return max(16, min(_VERDICT, columns * 2 // 5))


def text_columns(columns: int, *, with_id: bool) -> int:
    """What is left for the text."""
    return max(8, columns - verdict_columns(columns) - (_ID + _GAPS if with_id else _GAPS // 2))


def verdict(labels: Sequence[str], scores: Mapping[str, float], room: int) -> str:
    """Labels with their scores, `+2` for those that do not fit; or the highest score of a text without labels."""
    if not labels:
        label, score = max(scores.items(), key=lambda pair: pair[1])
        return cut(f"- ({label} {score:.2f})", room)
    named = [f"{label} {scores[label]:.2f}" for label in labels]
    if len(whole := ", ".join(named)) <= room:
        return whole
    named = [f"{label} {scores[label]:.2f}" for label in sorted(labels, key=scores.__getitem__, reverse=True)]
    for count in range(len(named) - 1, 1, -1):
        if len(line := f"{', '.join(named[:count])} +{len(named) - count}") <= room:
            return line
    more = f" +{len(named) - 1}" if len(named) > 1 else ""
    return cut(named[0], room - len(more)) + more


def cut(text: str, room: int) -> str:
    """The beginning of the text on one line, without the control characters that a terminal would obey."""
    line = "".join(character if character.isprintable() else " " for character in text[: room + 1])
    return line if len(line) <= room else line[: room - 1] + "…"
