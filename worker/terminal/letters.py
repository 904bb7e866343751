"""Dead letters for a person: with their bytes if asked for, and counted by what was wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.events.headers import headers_of
from worker.terminal.rendering import counted, dead_letter_row

if TYPE_CHECKING:
    from worker.kafka.dead_letters.reader import DeadLetter

MOST_CHARACTERS = 2000
"""Longest part of a value that is shown; a dead letter may hold megabytes, which `export` writes in full."""


@dataclass(slots=True)
class Kind:
    """Letters of one stage and error.

    Attributes:
        count: How many.
        first: When the first of them failed, RFC 3339.
        last: When the last did.
        replayed: How many of them had been replayed before they failed again.
    """

    stage: str
    error: str
    count: int = 0
    first: str = ""
    last: str = ""
    replayed: int = 0


def kinds_of(letters: Iterable["DeadLetter"]) -> list[Kind]:
    """The kinds among these letters, the most frequent first."""
    kinds: dict[tuple[str, str], Kind] = {}
    for letter in letters:
        kind = kinds.setdefault((letter.stage, letter.error), Kind(letter.stage, letter.error))
        kind.count += 1
        kind.replayed += letter.replays > 0
        kind.first = min(kind.first or letter.failed_at, letter.failed_at)
        kind.last = max(kind.last, letter.failed_at)
    return sorted(kinds.values(), key=lambda kind: (-kind.count, kind.stage, kind.error))


def summary_lines(kinds: list[Kind]) -> Iterator[str]:
    """A heading and a line for each kind."""
    if not kinds:
        return
    yield f"{'stage':<10} {'error':<24} {'count':>8}  {'first':<24}  {'last':<24}"
    for kind in kinds:
        again = f"  {counted(kind.replayed, 'replay')} among them" if kind.replayed else ""
        line = f"{kind.stage:<10} {kind.error:<24} {kind.count:>8,}  {kind.first or '-':<24}  {kind.last or '-':<24}"
        yield (line + again).rstrip()


def letter_lines(letter: "DeadLetter", *, with_headers: bool, with_value: bool) -> Iterator[str]:
    """The letter's line, then its key, headers and value as they were received, each on lines of its own."""
    yield dead_letter_row(letter)
    if with_headers:
        yield f"    key: {_printable(letter.record.key())}"
        for name, value in headers_of(letter.record):
            yield f"    {_shown(name)}: {_printable(value)}"
    if with_value:
        yield f"    {_printable(letter.record.value())}"


def _printable(value: bytes | None) -> str:
    if value is None:
        return "none"
    text = value.decode(errors="backslashreplace")
    more = f" … {len(text):,} characters, `sluice dead-letters export` has all" if len(text) > MOST_CHARACTERS else ""
    return _shown(text[:MOST_CHARACTERS]) + more


def _shown(text: str) -> str:
    """The text without what a terminal would obey; control characters stand as escapes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
