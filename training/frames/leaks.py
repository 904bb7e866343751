"""Whether a frame that is learned from resembles one that is held back.

Two sentences count as alike when most of the three-word runs of the held-back one stand in the other too; a sentence of
fewer words must stand there whole. What is reported is the learned row, never the held-back one, so that whoever
rewords it does not get to know the test.
"""

import re
from collections import defaultdict
from collections.abc import Sequence

from training.frames.making import FrameRow

RUN_WORDS = 3
ALIKE = 0.6
"""Share of the held-back sentence's runs from which a learned one counts as alike."""

_WORD = re.compile(r"\w+(?:'\w+)?")


def find_leaks(learned: Sequence[FrameRow], held_back: Sequence[FrameRow]) -> list[FrameRow]:
    """The rows of `learned` that are like a row of `held_back`, in their order."""
    holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
    sizes: list[int] = []
    for number, row in enumerate(held_back):
        runs = _runs(row.text)
        sizes.append(len(runs))
        for run in runs:
            holders[run].add(number)
    return [row for row in learned if _resembles(_runs(row.text), holders, sizes)]


def _resembles(runs: set[tuple[str, ...]], holders: dict[tuple[str, ...], set[int]], sizes: Sequence[int]) -> bool:
    shared: dict[int, int] = defaultdict(int)
    for run in runs:
        for number in holders.get(run, ()):
            shared[number] += 1
    return any(count / sizes[number] >= ALIKE for number, count in shared.items())


def _runs(text: str) -> set[tuple[str, ...]]:
    """Runs of three words; of a shorter text all its words."""
    words = tuple(_WORD.findall(text.casefold()))
    return {words[i : i + RUN_WORDS] for i in range(max(len(words) - RUN_WORDS + 1, 1))} if words else set()
