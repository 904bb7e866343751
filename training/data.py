"""Labelled comments of the Jigsaw Toxic Comment Classification Challenge, in two layouts.

* The challenge's own files: `train.csv` (`id,comment_text,toxic,...`), `test.csv` (`id,comment_text`) and
  `test_labels.csv` (`id,toxic,...`), whose rows with -1 were never scored and are left out. A tenth of the
  train split, drawn with a fixed seed, becomes the validation split.
* The gathered files: `train.csv`, `validation.csv` and `test.csv` (`text,toxic,...`). Validation has the natural
  rate of labelled comments; train and test lack most of the clean ones.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")

VALIDATION_SHARE = 0.1
VALIDATION_SEED = 20180320  # the day the challenge closed
GATHERED_TEST_CLEAN = 28_944
"""Clean comments in the half of the challenge's test split that the gathered `test.csv` samples."""

csv.field_size_limit(10_000_000)


class DataFault(Exception):
    """The data folder cannot be read as labelled comments; the message says which file, and what to do."""


@dataclass(frozen=True, slots=True)
class Comments:
    """Texts with their labels: `labels` is float32 of shape [texts, 6], 0 or 1, in the order of `LABELS`.

    `clean_weight` is what one comment without any label stands for, so that weighted figures estimate the split
    these comments were gathered from; a labelled comment stands for itself.
    """

    texts: list[str]
    labels: NDArray[np.float32]
    clean_weight: float = 1.0

    def __len__(self) -> int:
        return len(self.texts)

    def weights(self) -> NDArray[np.float64]:
        """Weight of each comment, shape [texts]."""
        return np.where(self.labels.any(axis=1), 1.0, self.clean_weight)


@dataclass(frozen=True, slots=True)
class Splits:
    """What to learn from, what to choose with, and what to look at once."""

    train: Comments
    validation: Comments
    test: Comments


def read_splits(folder: Path) -> Splits:
    """The three splits in `folder`, in whichever of the two layouts its files have.

    Raises:
        DataFault: A file is missing, lacks a column, or holds a value that is no label.
    """
    if (folder / "test_labels.csv").is_file():
        rest, validation = _divide(read_comments(folder / "train.csv"))
        return Splits(rest, validation, read_comments(folder / "test.csv", folder / "test_labels.csv"))
    test = read_comments(folder / "test.csv")
    clean = int((~test.labels.any(axis=1)).sum())
    return Splits(
        read_comments(folder / "train.csv"),
        read_comments(folder / "validation.csv"),
        Comments(test.texts, test.labels, GATHERED_TEST_CLEAN / clean if clean else 1.0),
    )


def read_comments(texts_file: Path, labels_file: Path | None = None) -> Comments:
    """Comments of `texts_file` that have labels, either in the same file or, matched by `id`, in `labels_file`.

    Raises:
        DataFault: As for `read_splits`.
    """
    rows = _rows(texts_file)
    if labels_file is not None:
        known = {row["id"]: row for row in _rows(labels_file)}
        rows = [row | known[row["id"]] for row in rows if row["id"] in known]
    if not rows:
        message = f"{texts_file} has no labelled comments"
        raise DataFault(message)
    column = "text" if "text" in rows[0] else "comment_text"
    if missing := [name for name in (column, *LABELS) if name not in rows[0]]:
        message = (
            f"{texts_file} lacks the columns {', '.join(missing)}; it needs text (or comment_text) and every label"
        )
        raise DataFault(message)
    try:
        labels = np.array([[float(row[label]) for label in LABELS] for row in rows], dtype=np.float32)
    except (TypeError, ValueError) as error:
        message = f"{labels_file or texts_file} has a row whose labels are not all numbers"
        raise DataFault(message) from error
    if not np.isin(labels, (-1.0, 0.0, 1.0)).all():
        message = f"{labels_file or texts_file} has labels other than 0, 1 and -1 (not scored)"
        raise DataFault(message)
    scored: NDArray[np.bool_] = np.all(labels >= 0, axis=1)
    return Comments([row[column] for row, keep in zip(rows, scored, strict=True) if keep], labels[scored])


def _rows(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        message = f"cannot read {file}: {error.strerror}. Point --data at a folder with train.csv and test.csv."
        raise DataFault(message) from error


def _divide(comments: Comments) -> tuple[Comments, Comments]:
    drawn = np.random.default_rng(VALIDATION_SEED).random(len(comments)) < VALIDATION_SHARE

    def part(mask: NDArray[np.bool_]) -> Comments:
        return Comments([comments.texts[i] for i in np.flatnonzero(mask)], comments.labels[mask])

    return part(~drawn), part(drawn)
