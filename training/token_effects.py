"""What single words do to the logits of the labels, by leaving them out: what a token head learns to foresee.

Leaving out every word would cost dozens of passes for a text, so of each text only the words are left out that score
highest on their own, and one more by chance.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data import Comments
from training.token_states import StateReader
from worker.reasons.words import Word, words_of

WORDS = 3
PART = 50
"""Texts of one file, so that a run that is stopped goes on where it was."""

LONGEST = 220
"""Characters of a text that words are left out of: a pass for each word of a longer one costs too much."""


class Effects(NamedTuple):
    """Some words of a text, and what each adds to the logit of each label: [words, labels], at least 0."""

    words: list[Word]
    added: NDArray[np.float32]


def read_effects(reader: StateReader, name: str, texts: Sequence[str], work: Path, seed: int) -> list[Effects]:
    """The effects of words of each text, in order; files of an earlier run under the same name are used again."""
    found: list[Effects] = []
    for first in range(0, len(texts), PART):
        file = work / f"{name}-{first}.npz"
        if not file.exists():
            draw = np.random.default_rng((seed, first))
            part = [_effects(reader, text, draw) for text in texts[first : first + PART]]
            words = np.array([(index, *word) for index, one in enumerate(part) for word in one.words])
            np.savez(file, words=words.reshape(-1, 3), added=np.concatenate([one.added for one in part]))
            print(file.name, flush=True)
        kept = np.load(file)
        of_text = kept["words"][:, 0]
        for index in range(len(texts[first : first + PART])):
            own = of_text == index
            found.append(Effects([(int(b), int(e)) for b, e in kept["words"][own, 1:]], kept["added"][own]))
    return found


def rare_first(comments: Comments, each: int) -> list[str]:
    """Short labelled comments, up to `each` of every label, those of the rarest labels first."""
    chosen: dict[str, None] = {}
    for label in np.argsort(comments.labels.sum(axis=0)):
        having = [text for text, row in zip(comments.texts, comments.labels, strict=True) if row[label]]
        chosen |= dict.fromkeys([text for text in having if len(text) <= LONGEST and text not in chosen][:each])
    return list(chosen)


def _effects(reader: StateReader, text: str, draw: np.random.Generator) -> Effects:
    words = list(words_of(text))
    alone = reader.logits(["", *(text[begin:end] for begin, end in words)])
    own = np.maximum(alone[1:] - alone[0], 0)
    order = np.argsort(-own.max(axis=1), kind="stable")
    chosen = [*order[:WORDS], *([draw.choice(order[WORDS:])] if len(order) > WORDS else [])]
    left = [text[: words[index][0]] + text[words[index][1] :] for index in chosen]
    logits = reader.logits([text, *left])
    added = np.maximum(logits[0] - logits[1:], 0) + own[chosen]
    return Effects([words[index] for index in chosen], added.astype(np.float32))
