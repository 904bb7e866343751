"""The answers of `/api`: each from the query and what the page knows, without a web framework."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import worker
from worker.page.event_filter import EventFilter, event_filter
from worker.page.kept_event import KeptEvent
from worker.page.now import Now
from worker.page.once_more import record_at
from worker.page.parts import Parts, models_of
from worker.page.query import BadRequest, NotFound, Query, asked, is_number, limit_of, share_of, span_of, wants_text
from worker.page.scores import Limits, limits_of, newest_scoring, scores_json, what_if_json
from worker.page.shadow import shadow_json
from worker.page.threshold_download import threshold_set
from worker.page.times import written
from worker.page.unknown import Json
from worker.settings import TextOutput


class Api:
    """Answers from a page's parts; called on any thread.

    Args:
        parts: Of the page.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.now = Now(parts)

    def page(self, query: Query) -> Json:
        """What the page is of, and what it may do."""
        del query
        settings, counts = self._parts.settings, self._parts.sample.counts()
        kept_as = {TextOutput.KEEP: "original", TextOutput.HASH: "hash", TextOutput.OMIT: "omit"}
        return {
            "version": worker.__version__,
            "input": settings.input.topic,
            "output": settings.output.topic,
            "dead_letters": settings.dead_letters.topic,
            "group": settings.kafka.group_id,
            "labels": newest_scoring(self._parts.sample).labels,
            "text": kept_as[settings.output.text],
            "can_replay": settings.page.allow_replay,
            "has_labelled": self._parts.labelled is not None,
            "workers": settings.page.workers,
            "models": models_of(self._parts.sample),
            "shadow": bool(shadow_json(self._parts.workers)["on"]),
            "runbook": settings.page.runbook,
            "sampled": {
                "kept": counts.kept,
                "limit": self._parts.sample.limit,
                "seen": counts.seen,
                "read": counts.read,
                "since": None if counts.since_ms is None else written(counts.since_ms),
            },
        }

    def events(self, query: Query) -> Json:
        """A page of the newest label events that a filter takes."""
        wanted = self.filter(query)
        before = _cursor(query.get("before"))
        limit = limit_of(query)
        found = []
        for event in self._parts.sample.all_kept():
            if (before is None or _place(event) < before) and wanted.takes(event):
                found.append(event)
                if len(found) > limit:
                    break
        shown, more = found[:limit], len(found) > limit
        counts = self._parts.sample.counts()
        return {
            "events": [event.summary(with_text=wants_text(query)) for event in shown],
            "next": "{}.{}".format(*_place(shown[-1])) if more else None,
            "sampled": counts.seen > counts.kept,
            "note": self._note(),
        }

    def event(self, topic: str, partition: str, offset: str, query: Query) -> Json:
        """One event in full, read from its topic."""
        settings = self._parts.settings
        if topic != settings.output.topic:
            message = f"the page reads {settings.output.topic}, and no other topic's records are shown here"
            raise NotFound(message)
        if not (is_number(partition) and is_number(offset)):
            message = "an event is named topic/partition/offset"
            raise BadRequest(message)
        record = asked(lambda: record_at(settings, topic, int(partition), int(offset)))
        return self._parts.detail.of(record, with_text=wants_text(query))

    def scores(self, query: Query) -> Json:
        """A histogram for each label."""
        began = self._parts.sample.counts().since_ms
        why = (
            f"the oldest label event that was found is of {written(began)}"
            if began is not None
            else self._parts.output.problem
        )
        return scores_json(self._parts.sample, span_of(query), _now_ms(), why)

    def what_if(self, query: Query) -> Json:
        """What other thresholds of a label would do."""
        sample = self._parts.sample
        scoring = newest_scoring(sample)
        label = query.get("label", "")
        if label not in scoring.labels:
            message = f"label is one of {', '.join(scoring.labels) or 'none: no label event has been read yet'}"
            raise BadRequest(message)
        then = Limits(share_of(query, "review"), share_of(query, "act"))
        if then.review is not None and then.act is not None and then.review > then.act:
            message = "review is the lower of the two, or equal to act"
            raise BadRequest(message)
        answer = what_if_json(sample, span_of(query), label, then, with_text=wants_text(query))
        if self._parts.labelled is not None:
            answer["labelled"] = self._parts.labelled.figures(label, scoring, limits_of(scoring, label), then)
        return answer

    def what_if_file(self, query: Query) -> dict[str, Any]:
        """A threshold set file."""
        try:
            return threshold_set(query.get("set", "{}"), newest_scoring(self._parts.sample), datetime.now(UTC))
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def health(self, query: Query) -> Json:
        """The chain of checks."""
        del query
        return self._parts.health.as_json()

    def shadow(self, query: Query) -> Json:
        """The candidate beside the model, where a worker runs one."""
        del query
        parts = self._parts
        answer = shadow_json(parts.workers) | {"examples": parts.examples.as_json()}
        if parts.examples_follower is None:
            answer["why_no_examples"] = "shadow.examples_topic names no topic of examples"
        elif parts.examples_follower.problem:
            answer["why_no_examples"] = parts.examples_follower.problem
        return answer

    def filter(self, query: Query) -> EventFilter:
        """The filter that a query asks for."""
        try:
            return event_filter(query)
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def _note(self) -> str:
        counts, page = self._parts.sample.counts(), self._parts.settings.page
        if counts.seen > counts.read:
            note = (
                f"a sample: the stream is faster than the {page.most_per_second} events a second that the page reads; "
                f"{counts.read} of {counts.seen} were read"
            )
        else:
            note = f"all events since the page began, and up to {page.tail_records} before; {counts.kept} are kept"
        return "; ".join(filter(None, (self._parts.output.problem, note)))


def static_folder() -> Path:
    """Where the browser's half of the page is."""
    return Path(__file__).parent / "static"


def _place(event: KeptEvent) -> tuple[int, int]:
    return event.at_ms, event.number


def _cursor(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    at_ms, _, number = text.partition(".")
    if not (is_number(at_ms) and is_number(number)):
        message = "before is what the answer before named as next"
        raise BadRequest(message)
    return int(at_ms), int(number)


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
