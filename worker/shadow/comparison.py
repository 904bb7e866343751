"""How two verdicts on one text differ."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from worker.shadow.sampled import Sampled, Scorer, Verdict
from worker.verdicts import Tier


class By(StrEnum):
    """Which of the two a label's tier is reached by; `INCUMBENT` and `CANDIDATE` mean this one only."""

    INCUMBENT = "incumbent"
    CANDIDATE = "candidate"
    BOTH = "both"


class Flag(NamedTuple):
    """A tier of a label that a text reaches by one of the two or by both."""

    label: str
    tier: Tier
    by: By


class Labels(NamedTuple):
    """Which labels can be compared.

    Attributes:
        shared: Those that both have, in the incumbent's order.
        only_in: Those that only one has, by which one.
    """

    shared: tuple[str, ...]
    only_in: dict[By, tuple[str, ...]]

    @classmethod
    def of(cls, incumbent: Scorer, candidate: Scorer) -> "Labels":
        """The labels of two models."""
        shared = tuple(label for label in incumbent.labels if label in candidate.labels)
        return cls(
            shared,
            {
                By.INCUMBENT: tuple(label for label in incumbent.labels if label not in shared),
                By.CANDIDATE: tuple(label for label in candidate.labels if label not in shared),
            },
        )


class Compared(NamedTuple):
    """One text, scored by both.

    Attributes:
        sampled: The label event, with the incumbent's verdict.
        candidate: The candidate's verdict.
        flags: Every tier of every label that one of them or both reach.
        shifts: For each label that both have, the candidate's score minus the incumbent's.
    """

    sampled: Sampled
    candidate: Verdict
    flags: tuple[Flag, ...]
    shifts: dict[str, float]

    def differing(self, shared: Iterable[str]) -> list[Flag]:
        """The flags that only one of the two gives, of labels that both have."""
        known = frozenset(shared)
        return [flag for flag in self.flags if flag.by is not By.BOTH and flag.label in known]


def compare(sampled: Sampled, candidate: Verdict) -> Compared:
    """Compare the two verdicts."""
    incumbent = sampled.verdict
    flags = [
        *_flags(Tier.REVIEW, incumbent.labels, candidate.labels),
        *_flags(Tier.ACT, incumbent.acted, candidate.acted),
    ]
    shifts = {
        label: candidate.scores[label] - score for label, score in incumbent.scores.items() if label in candidate.scores
    }
    return Compared(sampled, candidate, tuple(flags), shifts)


def _flags(tier: Tier, incumbent: tuple[str, ...], candidate: tuple[str, ...]) -> Iterable[Flag]:
    for label in incumbent:
        yield Flag(label, tier, By.BOTH if label in candidate else By.INCUMBENT)
    for label in candidate:
        if label not in incumbent:
            yield Flag(label, tier, By.CANDIDATE)
