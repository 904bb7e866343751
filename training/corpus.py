"""Texts to learn from, each with how much is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.data import LABELS

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts with soft targets.

    Attributes:
        texts: The texts.
        sources: Where each comes from.
        targets: Probability of each label, shape [texts, 6].
        known: How far each target is to be believed, 0 (not at all) to 1, shape [texts, 6].
        importance: What each text counts in the loss, shape [texts].
    """

    texts: list[str]
    sources: list[str]
    targets: Floats
    known: Floats
    importance: Floats

    def __len__(self) -> int:
        return len(self.texts)

    def weights(self) -> Floats:
        """Loss weight of each target, shape [texts, 6]."""
        return self.known * self.importance[:, None]

    def abusive(self) -> NDArray[np.bool_]:
        """Which texts are more likely toxic than not, shape [texts]."""
        return self.targets[:, 0] >= 0.5  # noqa: PLR2004 - more likely than not

    def part(self, chosen: NDArray[np.bool_]) -> "Corpus":
        """The texts where `chosen`, shape [texts], is true."""
        places = np.flatnonzero(chosen)
        return Corpus(
            [self.texts[i] for i in places],
            [self.sources[i] for i in places],
            self.targets[places],
            self.known[places],
            self.importance[places],
        )

    def limited(self, most: Mapping[str, int], seed: int) -> "Corpus":
        """At most so many texts of each source that `most` names, drawn by `seed`; all of the others."""
        draw, sources = np.random.default_rng(seed), np.array(self.sources)
        chosen = np.ones(len(self), dtype=bool)
        for source, count in most.items():
            places = draw.permutation(np.flatnonzero(sources == source))
            chosen[places[count:]] = False
        return self.part(chosen)

    def labelled(self) -> "Corpus":
        """The texts of which anything is known."""
        anything: NDArray[np.bool_] = np.any(self.known, axis=1)
        return self.part(anything)

    def taught(self, teacher: Floats, trust: float) -> "Corpus":
        """Targets blended from the known ones and a teacher's probabilities, shape [texts, 6].

        A label that is fully known counts `trust`, the teacher the rest; where nothing is known only the teacher
        counts, and where the teacher says nothing (NaN) only the known. Binary cross-entropy is linear in its target,
        so this blend has the gradient of the two losses' sum.
        """
        own, others = trust * self.known, np.where(np.isnan(teacher), 0, np.float32(1 - trust))
        weight = own + others
        blended = (own * self.targets + others * np.nan_to_num(teacher)) / np.maximum(weight, np.float32(1e-9))
        return replace(self, targets=blended.astype(np.float32), known=weight.astype(np.float32))


def same(
    texts: Sequence[str], source: str, targets: Sequence[float], known: Sequence[float], importance: float
) -> Corpus:
    """A corpus whose texts all have the same targets."""
    count = len(texts)
    return Corpus(
        list(texts),
        [source] * count,
        np.tile(np.array(targets, dtype=np.float32), (count, 1)),
        np.tile(np.array(known, dtype=np.float32), (count, 1)),
        np.full(count, importance, dtype=np.float32),
    )


def join(parts: Sequence[Corpus]) -> Corpus:
    """All parts in their order; of two texts that are the same, the first."""
    texts = [text for part in parts for text in part.texts]
    joined = Corpus(
        texts,
        [source for part in parts for source in part.sources],
        np.concatenate([part.targets for part in parts]).reshape(-1, len(LABELS)),
        np.concatenate([part.known for part in parts]).reshape(-1, len(LABELS)),
        np.concatenate([part.importance for part in parts]),
    )
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(text, place)
    chosen = np.zeros(len(texts), dtype=bool)
    chosen[list(first.values())] = True
    return joined.part(chosen)
