"""From frames to rows: each line filled many times, in the dress that people give their comments."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from training.frames.grammar import FILLERS_FILE, HARMLESS, LESSONS, Fillers, Frame, Line, read_fillers, read_frames
from training.frames.unknown_words import unknown_word

HARMLESS_ROWS = 24
ABUSIVE_ROWS = 40
"""Fillings of one line. There are fewer abusive lines than harmless ones; this evens out the rows."""
HELD_BACK_ROWS = 10
"""Fillings of a line that is kept for testing."""
LESSON_HARMLESS_ROWS, LESSON_ABUSIVE_ROWS = 7, 9
"""Fillings of a line of `lessons`: many frames with few rows each teach more than the reverse."""

COMPANY_SHARE = 0.15
"""Rows that get harmless sentences before or after, so that one sentence is found within a longer comment."""
COMPANY_GROUPS = ("everyday", "animals, objects, hating things", "disagreement and criticism", "names, places")

OPENERS = (
    "Honestly, ", "lol ", "btw ", "Well, ", "So, ", "Look, ", "ok so ", "Hm. ", "Right, ", "haha ", "omg ",
    "Dear all, ", "Hey, ", "Just saying: ", "> ", "- ", "PS: ", "Edit: ", "@mods ", "Anyway, ", "Wow. ", "No joke, ",
    "Btw, ", "Ugh. ",
)  # fmt: skip
CLOSERS = (
    " lol", " 😂", " smh", " haha", " tbh", " imo", " 🙂", " 🙄", " Bye.", " Think about it.", " #justsaying", " ...",
    " Period.", " 👏", " btw", " Seriously.", " :)", " xx", " Regards", " fyi", " (sorry, long day)", " 🤷",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A text of our own with its mark, the group of its frame, and whether the frame is kept for testing."""

    text: str
    mark: str
    group: str
    held_back: bool

    @property
    def harmless(self) -> bool:
        """Whether no label should be given."""
        return self.mark == HARMLESS


def make_rows(seed: int, sentences: Iterable[str] = (), frames: Sequence[Frame] | None = None) -> list[FrameRow]:
    """Rows of all frames, no text twice; the same for the same arguments.

    `sentences` are harmless ones of other languages, whose words stand where a reader may not know a word.
    """
    frames = read_frames() if frames is None else frames
    draw = random.Random(f"frames/{seed}")  # noqa: S311 (no secret)
    fillers = read_fillers() | runtime_fillers(draw, sentences)
    company = _company(frames)
    rows: dict[str, FrameRow] = {}
    for frame in frames:
        for line in frame.lines:
            wanted = HARMLESS_ROWS if line.mark == HARMLESS else ABUSIVE_ROWS
            for _ in range(HELD_BACK_ROWS if frame.held_back else wanted):
                text = _dress(line.fill(fillers, draw), draw)
                beside = None
                if company and draw.random() < COMPANY_SHARE:
                    beside, other = draw.choice(company)
                    text = _accompany(text, other.fill(fillers, draw), draw)
                if beside is None or not beside.held_back or frame.held_back:  # no learned row holds a held-back frame
                    rows.setdefault(text, FrameRow(text, line.mark, frame.group, frame.held_back))
    return list(rows.values())


def make_lesson_rows(seed: int, sentences: Iterable[str] = ()) -> list[FrameRow]:
    """Rows of the frames in `lessons`, for training alone, no text twice; the same for the same arguments.

    They have draws of their own, so that a lesson added or changed leaves every row of `make_rows` as it was.
    """
    draw = random.Random(f"lessons/{seed}")  # noqa: S311 (no secret)
    fillers: Fillers = read_fillers() | read_fillers(LESSONS / FILLERS_FILE.name) | runtime_fillers(draw, sentences)
    company = [line for frame, line in _company(read_frames()) if not frame.held_back]
    rows: dict[str, FrameRow] = {}
    for frame in read_frames(LESSONS):
        for line in frame.lines:
            for _ in range(LESSON_HARMLESS_ROWS if line.mark == HARMLESS else LESSON_ABUSIVE_ROWS):
                text = _dress(line.fill(fillers, draw), draw)
                if draw.random() < COMPANY_SHARE:
                    text = _accompany(text, draw.choice(company).fill(fillers, draw), draw)
                rows.setdefault(text, FrameRow(text, line.mark, frame.group, held_back=False))
    return list(rows.values())


def _company(frames: Sequence[Frame]) -> list[tuple[Frame, Line]]:
    """Harmless lines that may stand beside another, with their frames."""
    chosen = [frame for frame in frames if frame.group.startswith(COMPANY_GROUPS)]
    return [(frame, line) for frame in chosen for line in frame.lines if line.mark == HARMLESS]


def runtime_fillers(draw: random.Random, sentences: Iterable[str], count: int = 3000) -> dict[str, list[str]]:
    """Fillers too many to write down: invented words, numbers, words and word groups of other languages."""
    lines = [sentence.split() for sentence in sentences] or [["lumo", "tavari", "onde", "kesta"]]
    words = sorted({word.strip('.,;:!?"()„“«»') for line in lines for word in line})
    words = [word for word in words if word.isalpha()] or ["lumo"]
    return {
        "unknown": [unknown_word(draw) for _ in range(count)],
        "number": [
            str(draw.choice((draw.randrange(10), draw.randrange(100), draw.randrange(5000)))) for _ in range(200)
        ],
        "foreignword": [draw.choice(words) for _ in range(count)],
        "foreignwords": [" ".join(draw.choice(lines)[: draw.randrange(2, 8)]) for _ in range(count)],
    }


def _dress(text: str, draw: random.Random) -> str:
    """Case, final punctuation, and the small words around a sentence; likewise for harmless rows and abusive ones."""
    if draw.random() < 0.1:  # noqa: PLR2004 - a share of the rows
        text = draw.choice(OPENERS) + (text if draw.random() < 0.5 else text[:1].lower() + text[1:])  # noqa: PLR2004 - a share of the rows
    if draw.random() < 0.08:  # noqa: PLR2004 - a share of the rows
        text += draw.choice(CLOSERS)
    match draw.random():
        case chance if chance < 0.22:  # noqa: PLR2004 - a share of the rows
            text = text.lower()
        case chance if chance < 0.26:  # noqa: PLR2004 - a share of the rows
            text = text.upper()
    match draw.random():
        case chance if chance < 0.12:  # noqa: PLR2004 - a share of the rows
            text = text.rstrip(".!")
        case chance if chance < 0.17:  # noqa: PLR2004 - a share of the rows
            text = text.rstrip(".!") + draw.choice(("!", "!!", "!!!", "...", " !"))
        case chance if chance < 0.2:  # noqa: PLR2004 - a share of the rows
            text = text.replace("'", "").replace(",", "")
    return text


def _accompany(text: str, other: str, draw: random.Random) -> str:
    parts = [text, other] if draw.random() < 0.5 else [other, text]  # noqa: PLR2004 - a share of the rows
    return draw.choice((" ", " ", "\n", "\n\n")).join(parts)
