"""The code blocks of the documentation.

A block may have a comment on the line before its fence: `<!-- not run -->` (it is only read), or `<!-- needs kafka -->`
(it is run where there is a real broker).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[a-z ]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """One fenced block: its language, its text, the comment before it, and the line it begins on."""

    language: str
    text: str
    mark: str
    line: int


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["language"], found["text"], found["mark"] or "", text.count("\n", 0, found.start()) + 1)
        for found in _BLOCK.finditer(text)
    ]


def name_of(page: Path) -> str:
    """A page as it is named in test ids."""
    return str(page.relative_to(ROOT))


def all_blocks(*languages: str) -> Iterator[tuple[Path, Block]]:
    """Every block of these languages in the documentation."""
    for page in PAGES:
        for block in blocks(page):
            if block.language in languages:
                yield page, block
