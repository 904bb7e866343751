"""Where the scores lie, and what other thresholds would do: computed from the sample of the events."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from worker.page.kept_event import NO_SCORING, Scoring
from worker.page.sample import SPANS, Sample, Weighted
from worker.page.times import written
from worker.page.unknown import Json, unknown

BINS = 50
MOST_CHANGES = 20

NO_EVENTS = "no label event has been read in this span"


class Limits(NamedTuple):
    """The lowest scores of a label that reach each tier; None: none does."""

    review: float | None
    act: float | None

    def tier(self, score: float) -> str:
        """The tier that a score reaches."""
        if self.act is not None and score >= self.act:
            return "act"
        return "review" if self.review is not None and score >= self.review else "none"


def newest_scoring(sample: Sample) -> Scoring:
    """What scored the newest event."""
    return next((event.scoring for event in sample.newest() if event.problem is None), NO_SCORING)


def limits_of(scoring: Scoring, label: str) -> Limits:
    """The thresholds that are in force for a label."""
    return Limits(scoring.review.get(label), scoring.act.get(label))


def scores_json(sample: Sample, span: str, now_ms: int, why_not_more: str) -> dict[str, Json]:
    """A histogram for each label: how many events of the span have a score in each fiftieth of [0, 1]."""
    events = sample.over(span)
    scoring = newest_scoring(sample)
    times = [one.event.at_ms for one in events]
    return {
        "span": span,
        "seen": sample.stood_for(span),
        "sampled": len(events),
        "labels": [_label_json(label, scoring, events) for label in scoring.labels],
        "covers": {
            "from": written(min(times)) if times else None,
            "to": written(max(times)) if times else None,
            "why_not_more": _why_not_more(times, span, now_ms, why_not_more),
        },
    }


def _label_json(label: str, scoring: Scoring, events: Sequence[Weighted]) -> dict[str, Json]:
    bins = [0.0] * BINS
    for event, weight in events:
        score = event.score(label)
        if score is not None:
            bins[min(BINS - 1, int(score * BINS))] += weight
    flagged = sum(weight for event, weight in events if label in event.labels)
    whole = sum(weight for _, weight in events)
    limits = limits_of(scoring, label)
    return {
        "label": label,
        "bins": [round(count) for count in bins],
        "review": limits.review,
        "act": limits.act,
        "flagged_share": flagged / whole if whole else unknown(NO_EVENTS),
    }


def _why_not_more(times: Sequence[int], span: str, now_ms: int, why: str) -> str | None:
    if not times:
        return why or NO_EVENTS
    return why if min(times) > now_ms - SPANS[span].whole_ms * 19 // 20 else None


def what_if_json(sample: Sample, span: str, label: str, then: Limits, *, with_text: bool) -> dict[str, Json]:
    """What other thresholds of one label would do to the events of a span, and the events that change sides.

    Args:
        sample: The events.
        span: Over which time.
        label: The label.
        then: The thresholds to try.
        with_text: Whether the events are shown with their texts.
    """
    events = [(one, score) for one in sample.over(span) if (score := one.event.score(label)) is not None]
    whole = sum(one.weight for one, _ in events)
    now = limits_of(newest_scoring(sample), label)
    answer: dict[str, Json] = {"now": _shares(events, now, whole), "then": _shares(events, then, whole)}
    changed = []
    for one, score in events:
        before, after = now.tier(score), then.tier(score)
        if before != after:
            changed.append((_distance(score, now, then), _side(before, after), one.event))
    changed.sort(key=lambda change: (change[0], -change[2].at_ms))
    answer["changed"] = len(changed)
    answer["changes"] = [
        event.summary(with_text=with_text) | {"side": side, "score": event.score(label)}
        for _, side, event in changed[:MOST_CHANGES]
    ]
    return answer


def _shares(events: Sequence[tuple[Weighted, float]], limits: Limits, whole: float) -> dict[str, Json]:
    """The share of events at each tier or above it."""
    if not whole:
        return {"review_share": unknown(NO_EVENTS), "act_share": unknown(NO_EVENTS)}
    tiers = [(limits.tier(score), one.weight) for one, score in events]
    return {
        "review_share": sum(weight for tier, weight in tiers if tier != "none") / whole,
        "act_share": sum(weight for tier, weight in tiers if tier == "act") / whole,
    }


def _side(before: str, after: str) -> str:
    """Which tier a comment would gain (+) or lose (-), the higher one where both change."""
    if "act" in (before, after):
        return "+act" if after == "act" else "-act"
    return "+review" if after == "review" else "-review"


def _distance(score: float, now: Limits, then: Limits) -> float:
    """How far a score is from the nearest of the thresholds that moved."""
    moved = [new for old, new in ((now.review, then.review), (now.act, then.act)) if old != new and new is not None]
    return min((abs(score - limit) for limit in moved), default=1.0)


def flagged_shares(sample: Sample, at_ms: float, minutes: Mapping[str, int]) -> dict[str, Json]:
    """The share of events with a label, over the last minutes."""
    events = sample.over("15m")
    shares: dict[str, Json] = {}
    for name, number in minutes.items():
        of = [one for one in events if one.event.at_ms > at_ms - number * 60_000]
        whole = sum(one.weight for one in of)
        flagged = sum(one.weight for one in of if one.event.labels)
        shares[name] = flagged / whole if whole else unknown(f"no label event has been read in the last {name}")
    return shares
