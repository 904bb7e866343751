"""Everything the embedded model learns from, and what is held out for choosing between models.

The challenge's comments carry the labels; the other sets add variety: news readers' comments that raters found toxic
(Civil Comments; `spans.csv` holds no text that is not among them), everyday and warm comments (GoEmotions), plain
sentences in 21 languages (Wortschatz), and our own frames. Every tenth text of each, by a hash, and every fifth frame
is held out; the lessons, frames written later, are all learned from. A sentence of ours that resembles one of a
held-out frame is left out. See `training/card.md` for sources and licences.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.corpus import Corpus, join, same
from training.data import LABELS, Comments, DataFault
from training.foul_words import foul_words, words_of
from training.frames import find_leaks, make_lesson_rows, make_rows

KEPT_ONE_IN = 10
FRAME_SEED = 15
CLEAN_IMPORTANCE = 3.0
"""Importance of a challenge comment without labels: train lacks nine in ten of them; calibration makes up the rest."""
CIVIL_IMPORTANCE = 0.25
"""They are all toxic: at a higher weight, the style of news readers becomes evidence in itself."""
LESSON_IMPORTANCE = 2.5
"""No teacher has scored them, so that `distil` believes their labels by less than one."""
WARM = frozenset(("admiration", "gratitude", "love", "joy", "caring", "optimism", "excitement", "relief"))

ALL, NONE = [1.0] * len(LABELS), [0.0] * len(LABELS)
MARK_TARGETS: dict[str, tuple[list[float], list[float]]] = {
    "+": (NONE, ALL),
    # toxic, severe_toxic, obscene, threat, insult, identity_hate; what the mark leaves open is up to the teacher
    "i": ([1, 0, 0, 0, 1, 0], [1, 0.3, 0, 1, 1, 1]),
    "t": ([1, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 0.3]),
    "g": ([1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1]),
    "x": ([1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]),
}

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Sources:
    """What to learn from, what to choose models by, and the words worth disguising."""

    learn: Corpus
    kept: Corpus
    foul: frozenset[str]


def gather(folder: Path, train: Comments) -> Sources:
    """Everything in `folder` except the challenge's splits, plus `train`, one of those splits, and the frames.

    Raises:
        DataFault: A file is missing or lacks a column.
    """
    foul = foul_words(train)
    sentences = list(_sentences(folder / "sentences"))
    rows = make_rows(FRAME_SEED, sentences)
    own = [
        ("frames", 1.0, [row for row in rows if not row.held_back]),
        ("lessons", LESSON_IMPORTANCE, make_lesson_rows(FRAME_SEED, sentences)),
    ]
    test = [row for row in rows if row.held_back]
    alike = {row.text for _, _, learned in own for row in find_leaks(learned, test)}
    by_mark = [
        same([row.text for row in learned if row.mark == mark and row.text not in alike], source, *MARK_TARGETS[mark],
             importance)
        for source, importance, learned in own for mark in MARK_TARGETS
    ]  # fmt: skip
    apart = join([
        _civil(folder / "civil.csv"),
        _everyday(folder / "everyday.csv", foul),
        same(sentences, "sentences", NONE, ALL, 0.6),
    ])  # fmt: skip
    kept = np.array([is_kept(text) for text in apart.texts], dtype=bool)
    held_back = [
        same([row.text for row in rows if row.held_back and row.group == group and row.mark == mark],
             f"frames: {group}", *MARK_TARGETS[mark], 1.0)
        for group in dict.fromkeys(row.group for row in rows) for mark in MARK_TARGETS
    ]  # fmt: skip
    learn = join([_challenge(train), *by_mark, apart.part(~kept), _crops(train)])
    return Sources(learn, join([apart.part(kept), *held_back]), foul)


def is_kept(text: str) -> bool:
    """Whether a text of the additional sets is held out: one in ten, regardless of case and whitespace."""
    digest = hashlib.sha256(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % KEPT_ONE_IN == 0


def _challenge(train: Comments) -> Corpus:
    importance = np.where(train.labels.any(axis=1), 1.0, CLEAN_IMPORTANCE).astype(np.float32)
    return Corpus(train.texts, ["challenge"] * len(train), train.labels, np.ones_like(train.labels), importance)


def _civil(file: Path) -> Corpus:
    """All toxic. The target of a label is the share of raters who gave it; one that nobody gave may still apply."""
    rows = list(_rows(file, "text", "insult", "identity_hate", "obscene", "threat"))
    targets = np.array([[1.0, 0.0, *(float(row[kind] or 0) for kind in LABELS[2:])] for row in rows], dtype=np.float32)
    known = np.where(targets > 0, 1.0, 0.1).astype(np.float32)
    known[:, 1] = 0.0
    return Corpus([row["text"] for row in rows], ["civil"] * len(rows), targets, known,
                  np.full(len(rows), CIVIL_IMPORTANCE, dtype=np.float32))  # fmt: skip


def _everyday(file: Path, foul: frozenset[str]) -> Corpus:
    """Harmless if all emotions are warm and no word is foul; the rest is left to the teacher."""
    rows = list(_rows(file, "text", "emotions"))
    warm = [set(row["emotions"].split()) <= WARM and not foul & words_of(row["text"]) for row in rows]
    return join([
        same([row["text"] for row, sure in zip(rows, warm, strict=True) if sure], "warm", NONE, ALL, 0.8),
        same([row["text"] for row, sure in zip(rows, warm, strict=True) if not sure], "everyday", NONE, NONE, 0.6),
    ])  # fmt: skip


def _sentences(folder: Path) -> Iterator[str]:
    for file in sorted(folder.glob("*.txt")):
        yield from filter(None, map(str.strip, file.read_text(encoding="utf-8").splitlines()))


def _crops(train: Comments) -> Corpus:
    """One sentence of each longer comment, for the teacher: short comments in the challenge are rarely clean."""
    draw = np.random.default_rng(FRAME_SEED)
    split = (_SENTENCE_END.split(text) for text in train.texts)
    longer = [[part.strip() for part in parts if len(part) > 15] for parts in split if len(parts) > 2]  # noqa: PLR2004 - more than a few words, and a part of a whole
    return same([parts[draw.integers(len(parts))] for parts in longer if parts], "crops", NONE, NONE, 0.6)


def _rows(file: Path, *columns: str) -> Iterator[dict[str, str]]:
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            if missing := [name for name in columns if name not in (reader.fieldnames or [])]:
                message = f"{file} lacks the columns {', '.join(missing)}"
                raise DataFault(message)
            yield from reader
    except OSError as error:
        message = f"cannot read {file}: {error.strerror}"
        raise DataFault(message) from error
