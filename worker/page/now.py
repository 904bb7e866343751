"""What is true of the stream this second."""

import time
from collections.abc import Callable, Sequence
from threading import Lock

from worker.page.cluster import Cluster, ClusterView, lag_json, members_json
from worker.page.kept_event import KeptEvent
from worker.page.parts import Parts
from worker.page.sample import RECENT, Sample
from worker.page.scores import flagged_shares
from worker.page.times import written
from worker.page.unknown import Json, is_unknown, unknown
from worker.page.workers import states_json

_OVER_MS = 10_000
_SAME_FOR_SECONDS = 0.9
_MINUTES = {"1m": 1, "15m": 15}


class Now:
    """Makes the answer, at most about once a second however many browsers ask.

    Args:
        parts: Of the page.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self,
        parts: Parts,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._parts = parts
        self._clock = clock
        self._wall_clock = wall_clock
        self._made_at: float | None = None
        self._made: dict[str, Json] = {}
        self._lock = Lock()

    def as_json(self) -> dict[str, Json]:
        """Rates, lag, members, and what scores."""
        with self._lock:
            if self._made_at is None or self._clock() - self._made_at > _SAME_FOR_SECONDS:
                self._made = self._make()
                self._made_at = self._clock()
            return self._made

    def _make(self) -> dict[str, Json]:
        parts = self._parts
        view, sample = parts.cluster.view, parts.sample
        at_ms = self._wall_clock() * 1000
        newest = sample.newest()[:RECENT]
        events = [event for event in newest if event.problem is None]
        rate = _comments_per_second(parts.cluster, parts.settings.output.topic)
        answer: dict[str, Json] = {
            "at": written(at_ms),
            "rates": {
                "comments_per_second": rate,
                "tokens_per_second": self._tokens_per_second(rate, events),
                "flagged_share": flagged_shares(sample, at_ms, _MINUTES),
                "history": _history(sample),
            },
            "lag": lag_json(view, parts.cluster.inputs()),
            "oldest_unscored_seconds": unknown(view.oldest_seconds)
            if isinstance(view.oldest_seconds, str)
            else round(view.oldest_seconds, 1),
            "members": members_json(view),
            "state": states_json(parts.workers),
            "broker": unknown(view.broker) if view.broker else "answers",
            "stream": unknown(parts.output.problem) if parts.output.problem else "followed",
        }
        return answer | self._scoring(events)

    def _tokens_per_second(self, rate: Json, events: Sequence[KeptEvent]) -> Json:
        counted = self._parts.workers.rate("sluice_tokens_computed_total")
        if counted is not None:
            return round(counted, 1)
        if is_unknown(rate):
            return rate
        if not events:
            return unknown("no label event has been read yet")
        return round(rate * sum(event.tokens for event in events) / len(events), 1)

    def _scoring(self, events: Sequence[KeptEvent]) -> dict[str, Json]:
        """The model and the threshold set of the newest event, and others among the last."""
        if not events:
            why = unknown(self._parts.output.problem or "no label event has been read yet")
            return {"model": why, "threshold_set": why, "other_models": []}
        scorings = list(dict.fromkeys(id(event.scoring) for event in events))
        by_id = {id(event.scoring): event.scoring for event in events}
        first, *others = (by_id[one] for one in scorings)
        other_models = {
            (str(one.model["digest"]), one.threshold_set): {**one.model, "threshold_set": one.threshold_set}
            for one in others
            if (one.model["digest"], one.threshold_set) != (first.model["digest"], first.threshold_set)
        }
        return {
            "model": dict(first.model),
            "threshold_set": first.threshold_set,
            "other_models": list(other_models.values()),
        }


def _comments_per_second(cluster: Cluster, output: str) -> Json:
    """How fast the end of the output topic moves, over the last ten seconds."""
    view = cluster.view
    end = view.end_of([output])
    if end is None:
        return unknown(view.ends if isinstance(view.ends, str) else f"topic {output} does not exist")
    before = next((one for one in _earlier(cluster, view) if one.end_of([output]) is not None), None)
    if before is None:
        return unknown("two looks at the end of the topic are needed; the second comes in a few seconds")
    seconds = (view.at_ms - before.at_ms) / 1000
    return round(max(0, end - (before.end_of([output]) or 0)) / seconds, 1)


def _earlier(cluster: Cluster, view: ClusterView) -> list[ClusterView]:
    """The looks of the last ten seconds before this one, the oldest first."""
    return [one for one in list(cluster.history)[-10:] if view.at_ms - _OVER_MS - 2000 <= one.at_ms < view.at_ms]


def _history(sample: Sample) -> list[Json]:
    return [
        {"at": written(step.at_ms), "comments": round(step.comments), "flagged": round(step.flagged, 1)}
        for step in sample.steps("15m")
    ]
