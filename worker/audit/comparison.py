"""What a published event and the same text scored again disagree about.

A score may differ by the tolerance of its precision (`worker.classifier.company`), which is one of logits: of a score s
it is about s (1 - s) times as much. A verdict may not differ, unless its score is within the tolerance of a threshold
and the event is from another machine, or from before verdicts near a threshold were taken alone: that is counted apart.
"""

import math
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from schemas.label import LabelEvent
from worker.types import Classification, TextFacts
from worker.verdicts import ThresholdSet, Tier

_HALF_A_UNIT = 0.5e-6
"""Half a unit of the last decimal of a published score."""


class Kind(StrEnum):
    """What differs."""

    SCORE = "score"
    VERDICT = "verdict"
    NEAR_THRESHOLD = "near-threshold"
    READING = "reading"
    THRESHOLDS = "thresholds"

    @property
    def within_tolerance(self) -> bool:
        """Whether it is reported, and no fault."""
        return self is Kind.NEAR_THRESHOLD


class Difference(NamedTuple):
    """One thing that differs.

    Attributes:
        kind: `score`: beyond the tolerance. `verdict`: another tier than the scores give, or beyond the tolerance.
            `near-threshold`: another tier, with a score within the tolerance. `reading`: other tokens or windows.
            `thresholds`: the set of that name has other values here.
        label: The label; empty for a reading.
        published: As the event has it.
        again: As it is now.
    """

    kind: Kind
    label: str
    published: float | str | None
    again: float | str | None


def differences(
    event: LabelEvent, again: Classification, at_hand: ThresholdSet | None, tolerance: float
) -> Iterator[Difference]:
    """Everything the event and the text scored again disagree about.

    Args:
        event: As it was published.
        again: Its text, scored with the model, precision, view and thresholds that it names.
        at_hand: The threshold set that is used with that model here, if it is known.
        tolerance: Largest difference of a logit.
    """
    read = TextFacts(event.text.tokens, event.text.windows, event.text.truncated)
    if read != again.text:
        yield Difference(Kind.READING, "", _reading(read), _reading(again.text))
    yield from _of_thresholds(event, at_hand)
    for label in {**again.scores, **event.scores}:
        published, score = event.scores.get(label), again.scores.get(label)
        if published is None or score is None:
            yield Difference(Kind.SCORE, label, published, score)
        else:
            yield from _of_label(event, again, label, within_tolerance=within(published, score, tolerance))


def _of_label(event: LabelEvent, again: Classification, label: str, *, within_tolerance: bool) -> Iterator[Difference]:
    published, score = event.scores[label], again.scores[label]
    if not within_tolerance:
        yield Difference(Kind.SCORE, label, published, score)
    highest = _highest_tier(event)
    tier = _published_tier(event, label)
    by_published_score = min(_tier(*_reached(event, label, published)), highest, key=_RANK)
    now = min(_tier(label in again.labels, label in again.acted), highest, key=_RANK)
    if tier != by_published_score:
        yield Difference(Kind.VERDICT, label, tier, by_published_score)
    elif tier != now:
        yield Difference(Kind.NEAR_THRESHOLD if within_tolerance else Kind.VERDICT, label, tier, now)


def within(published: float, again: float, tolerance: float) -> bool:
    """Whether two scores, both rounded to six decimals, can be of logits that differ by no more than the tolerance."""
    low, high = sorted((published, again))
    return _logit(high - _HALF_A_UNIT) - _logit(low + _HALF_A_UNIT) <= tolerance


def _logit(score: float) -> float:
    if score <= 0:
        return -math.inf
    return math.inf if score >= 1 else math.log(score / (1 - score))


_TIERS = list(Tier)
_RANK = _TIERS.index


def _reached(event: LabelEvent, label: str, score: float) -> tuple[bool, bool]:
    """Whether the score reaches the lowest and the act threshold of the event."""
    thresholds = event.thresholds
    return score >= thresholds.values.get(label, math.inf), score >= thresholds.act.get(label, math.inf)


def _tier(flagged: bool, acted: bool) -> Tier:
    if acted:
        return Tier.ACT
    return Tier.REVIEW if flagged else Tier.NONE


def _published_tier(event: LabelEvent, label: str) -> Tier:
    """The tier the event gives the label; events before version 1.2 know one, which is review."""
    if label not in event.labels:
        return Tier.NONE
    return Tier(event.tiers.get(label, Tier.REVIEW))


def _highest_tier(event: LabelEvent) -> Tier:
    """The highest tier that a label of the event may have: review, where a person must see a language not supported."""
    other_language = event.language is not None and event.language.supported is False
    return Tier.REVIEW if other_language and Tier.ACT not in event.tiers.values() else Tier.ACT


def _of_thresholds(event: LabelEvent, at_hand: ThresholdSet | None) -> Iterator[Difference]:
    """Where the event's set has other values than the one of that name here; events before version 1.2 have no act."""
    given = event.thresholds
    if at_hand is None or given.set != at_hand.name:
        return
    pairs = [("review", given.values, at_hand.values)]
    if event.tier is not None:
        pairs.append(("act", given.act, dict(at_hand.act)))
    for tier, published, here in pairs:
        for label in {**here, **published}:
            if published.get(label) != here.get(label):
                yield Difference(Kind.THRESHOLDS, label, _value(tier, published, label), _value(tier, here, label))


def _value(tier: str, values: dict[str, float], label: str) -> str:
    return f"{tier} {values.get(label, 'never')}"


def _reading(facts: TextFacts) -> str:
    cut = ", cut" if facts.truncated else ""
    return f"{facts.tokens} tokens in {facts.windows} windows{cut}"
