"""How a frame is written, and how one is filled.

A file of frames has headings (`== negation`), which name the group that figures are reported by, and lines of a mark
and a pattern:

    + Nobody thinks you are {badadj}[.|, really.]
    i Everybody thinks you are {badadj}[.|, really.]

`{slot}` is a filler of that name from `fillers.txt`, `[one|other]` one of the alternatives, and a backslash takes a
bracket literally. The marks: `+` harmless, `i` insult, `t` threat, `g` attack on a group of people, `x` abuse of no
stated kind. A line and its neighbour of the other sort (harmless and abusive) are one frame: both are learned from, or
both are held back. A blank line or a comment parts frames.
"""

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TEXTS = Path(__file__).with_name("texts")
LESSONS = Path(__file__).with_name("lessons")
"""Frames written after a measurement, for training alone: none of them is ever held back."""
FILLERS_FILE = TEXTS / "fillers.txt"
HARMLESS = "+"
MARKS = (HARMLESS, "i", "t", "g", "x")
HELD_BACK_ONE_IN = 5

_CHOICE = re.compile(r"(?<!\\)\[((?:\\[\[\]|]|[^\[\]])*?)(?<!\\)\]")  # innermost ones first
_SLOT = re.compile(r"\{(\w+)\}")
_LITERAL = re.compile(r"\\([\[\]|])")

Fillers = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """One pattern: `mark` says what its fillings are."""

    mark: str
    pattern: str

    def fill(self, fillers: Fillers, draw: random.Random) -> str:
        """One filling; a slot that occurs twice gets two fillers, which may differ.

        Raises:
            KeyError: The pattern names a slot without fillers.
        """
        text, choices = self.pattern, 1
        while choices:
            text, choices = _CHOICE.subn(lambda match: draw.choice(match[1].split("|")), text)
        text = _SLOT.sub(lambda match: draw.choice(fillers[match[1]]), text)
        return _LITERAL.sub(r"\1", text).strip()


@dataclass(frozen=True, slots=True)
class Frame:
    """A line, or a pair of lines of which one is harmless and one is not."""

    group: str
    lines: tuple[Line, ...]

    @property
    def held_back(self) -> bool:
        """Whether the frame is kept for testing; depends on its wording alone, about one frame in five."""
        digest = hashlib.sha256(self.lines[0].pattern.encode()).digest()
        return int.from_bytes(digest[:8], "big") % HELD_BACK_ONE_IN == 0


def read_frames(folder: Path = TEXTS) -> list[Frame]:
    """All frames of the files in `folder`, in the order of file names and lines.

    Raises:
        ValueError: A line has no known mark, or comes before any heading.
    """
    files = sorted(file for file in folder.glob("*.txt") if file.name != FILLERS_FILE.name)
    return [frame for file in files for frame in _frames_of(file)]


def read_fillers(file: Path = FILLERS_FILE) -> dict[str, list[str]]:
    """What each slot can be filled with, by name."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    named = (line.split(" = ", maxsplit=1) for line in lines)
    return {name: values.split(" | ") for name, values in named}


def _frames_of(file: Path) -> Iterator[Frame]:
    group = ""
    open_lines: list[Line] = []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        line = Line(text[:1], text[2:].strip()) if text[:1] in MARKS and text[1:2] == " " else None
        if line is None and text.strip() and not text.startswith(("#", "==")):
            message = f"{file.name}:{number} begins with no known mark; known are {' '.join(MARKS)}"
            raise ValueError(message)
        if open_lines and (line is None or not _counterparts(open_lines, line)):
            yield Frame(group, tuple(open_lines))
            open_lines = []
        if line is not None:
            if not group:
                message = f"{file.name}:{number} comes before any heading"
                raise ValueError(message)
            open_lines.append(line)
        elif text.startswith("=="):
            group = text.strip("= ")
    if open_lines:
        yield Frame(group, tuple(open_lines))


def _counterparts(present: Sequence[Line], added: Line) -> bool:
    return len(present) == 1 and (present[0].mark == HARMLESS) != (added.mark == HARMLESS)
