"""Comments in which people marked what is toxic (SemEval-2021 task 5), and the task's measure of agreement.

`spans.csv` has the columns `text` and `spans`, a JSON list of `[begin, end)` in code points. A tenth of the texts, by
`training.sources.is_kept`, is kept apart: the embedded model has not learned from them, and its token head is neither
fitted nor chosen on them.
"""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from training.data import DataFault
from training.sources import is_kept

Place = tuple[int, int]


class MarkedText(NamedTuple):
    """A text and what people marked in it, `[begin, end)` in code points; nothing where they agreed on nothing."""

    text: str
    spans: tuple[Place, ...]


def read_marked(file: Path, *, kept: bool) -> list[MarkedText]:
    """The texts that are kept apart, or those to learn from, in the file's order.

    Raises:
        DataFault: The file cannot be read, or lacks a column.
    """
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        return [
            MarkedText(row["text"], tuple((int(begin), int(end)) for begin, end in json.loads(row["spans"])))
            for row in rows
            if is_kept(row["text"]) == kept
        ]
    except (OSError, KeyError, ValueError) as error:
        message = f"cannot read marked texts from {file}: {type(error).__name__}: {error}"
        raise DataFault(message) from error


def character_f1(found: Iterable[Place], marked: Sequence[Place]) -> float:
    """F1 over characters of one text, as the shared task defines it: 1 where both are empty, 0 where only one is.

    Pavlopoulos et al. 2021, https://aclanthology.org/2021.semeval-1.6 (after Da San Martino et al. 2019).
    """
    given = {place for begin, end in marked for place in range(begin, end)}
    named = {place for begin, end in found for place in range(begin, end)}
    if not given or not named:
        return float(given == named)
    return 2 * len(given & named) / (len(given) + len(named))
