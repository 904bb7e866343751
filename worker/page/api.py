"""The answers of `/api`: each from the query and what the page knows, without a web framework."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import worker
from worker.errors import SluiceError
from worker.page.event_filter import EventFilter, event_filter
from worker.page.kept_event import KeptEvent
from worker.page.letter_groups import LetterGroup
from worker.page.now import Now
from worker.page.once_more import NoSuchRecord, record_at
from worker.page.parts import Parts, models_of
from worker.page.replays import MOST_LETTERS, MOST_RATE, Refused, Replay
from worker.page.sample import SPANS
from worker.page.scores import Limits, limits_of, newest_scoring, scores_json, what_if_json
from worker.page.shadow import shadow_json
from worker.page.threshold_download import threshold_set
from worker.page.times import written
from worker.page.unknown import Json, unknown
from worker.settings import TextOutput

MOST_ROWS = 500
_FIRST_ROWS = 50

Query = Mapping[str, str]


class BadRequest(Exception):
    """The request is not understood; the message says what is expected (400)."""


class NotFound(Exception):
    """There is no such thing (404)."""


class NotAllowed(Exception):
    """The page is read-only, or this can't be done now (403 and 409)."""


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
        limit = _whole(query, "limit", _FIRST_ROWS, MOST_ROWS)
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

    def event(self, topic: str, partition: int, offset: int, query: Query) -> Json:
        """One event in full, read from its topic."""
        settings = self._parts.settings
        if topic != settings.output.topic:
            message = f"the page reads {settings.output.topic}, and no other topic's records are shown here"
            raise NotFound(message)
        record = _record(self._parts, topic, partition, offset)
        return self._parts.detail.of(record, with_text=wants_text(query))

    def scores(self, query: Query) -> Json:
        """A histogram for each label."""
        began = self._parts.sample.counts().since_ms
        why = (
            f"the page keeps label events from {written(began)} on" if began is not None else self._parts.output.problem
        )
        return scores_json(self._parts.sample, _span(query), _now_ms(), why)

    def what_if(self, query: Query) -> Json:
        """What other thresholds of a label would do."""
        sample = self._parts.sample
        scoring = newest_scoring(sample)
        label = query.get("label", "")
        if label not in scoring.labels:
            message = f"label is one of {', '.join(scoring.labels) or 'none: no label event has been read yet'}"
            raise BadRequest(message)
        then = Limits(_share(query, "review"), _share(query, "act"))
        if then.review is not None and then.act is not None and then.review > then.act:
            message = "review is the lower of the two, or equal to act"
            raise BadRequest(message)
        answer = what_if_json(sample, _span(query), label, then, with_text=wants_text(query))
        if self._parts.labelled is not None:
            answer["labelled"] = self._parts.labelled.figures(label, scoring, limits_of(scoring, label), then)
        return answer

    def what_if_file(self, query: Query) -> dict[str, Any]:
        """A threshold set file."""
        try:
            return threshold_set(query.get("set", "{}"), newest_scoring(self._parts.sample), datetime.now(UTC))
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def letters(self, query: Query) -> Json:
        """The dead letters by stage and error."""
        letters, follower = self._parts.letters, self._parts.dead_letters
        groups = letters.groups()
        total = self._parts.cluster.view.records_in(letters.topic)
        return {
            "groups": [group.as_json(letters.topic, with_text=wants_text(query)) for group in groups],
            "total": unknown(total) if isinstance(total, str) else total,
            "sampled": letters.passed_over > 0 or (not isinstance(total, str) and sum(g.count for g in groups) < total),
            "note": follower.problem
            or f"of the newest {self._parts.settings.page.tail_records} letters, and all since",
        }

    def letter_group(self, group_id: str, query: Query) -> Json:
        """The letters of one group, the newest first."""
        group = self._group(group_id)
        before = _whole(query, "before", sys.maxsize, sys.maxsize)
        limit = _whole(query, "limit", _FIRST_ROWS, MOST_ROWS)
        older = [letter for letter in self._parts.letters.letters(group) if letter.number < before]
        return {
            "letters": [letter.row(self._parts.letters.topic) for letter in older[:limit]],
            "next": str(older[limit - 1].number) if len(older) > limit > 0 else None,
        }

    def replay_count(self, query: Query) -> Json:
        """How many letters a replay would send, and whether it may."""
        settings = self._parts.settings
        allowed = settings.page.allow_replay
        why_not = "" if allowed else "this page is read-only: start it with --allow-replay"
        group_id, key = query.get("group"), query.get("key")
        if group_id:
            group = self._group(group_id)
            count = _asked(lambda: self._parts.replays.count_group(group))
            target = "the topic that each came from"
            if not count:
                why_not = "every letter of this group has been sent back, or has been replayed too often"
        elif key:
            letter, reason = _asked(lambda: self._parts.replays.target_of(*self._letter(key)))
            count, target, why_not = int(not reason), letter.topic, reason or why_not
        else:
            message = "name what to replay: group=ID, or key=topic/partition/offset"
            raise BadRequest(message)
        answer = {"count": count, "target": target, "can_replay": allowed and not why_not}
        if count >= MOST_LETTERS:
            answer["at_least"] = True
        return answer | ({"why_not": why_not} if why_not else {})

    def begin_replay(self, wanted: Mapping[str, Any]) -> Json:
        """Begin a replay."""
        if not self._parts.settings.page.allow_replay:
            message = "this page is read-only: start it with --allow-replay"
            raise NotAllowed(message)
        replays = self._parts.replays
        rate, limit, total = _number(wanted, "rate", MOST_RATE), _count(wanted, "limit"), _count(wanted, "count")
        replay: Replay
        try:
            if wanted.get("group"):
                group = self._group(str(wanted["group"]))
                replay = replays.begin_group(group, rate=rate, limit=limit, total=total)
            elif wanted.get("key"):
                place = self._letter(str(wanted["key"]))
                replay = _asked(lambda: replays.begin_one(*place))
            else:
                message = "name what to replay: group or key"
                raise BadRequest(message)
        except Refused as error:
            raise NotAllowed(str(error)) from None
        return {"id": replay.id}

    def replays(self, query: Query) -> Json:
        """The replays of this page."""
        del query
        return self._parts.replays.as_json()

    def stop_replay(self, replay_id: str) -> Json:
        """Stop one."""
        if not self._parts.settings.page.allow_replay:
            message = "this page is read-only: start it with --allow-replay"
            raise NotAllowed(message)
        if not self._parts.replays.stop(replay_id):
            message = "there is no such replay"
            raise NotFound(message)
        return {"id": replay_id}

    def health(self, query: Query) -> Json:
        """The chain of checks."""
        del query
        return self._parts.health.as_json()

    def shadow(self, query: Query) -> Json:
        """The candidate beside the model, where a worker runs one."""
        del query
        return shadow_json(self._parts.workers)

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

    def _group(self, group_id: str) -> LetterGroup:
        group = self._parts.letters.group(group_id)
        if group is None:
            message = "there is no such group of dead letters"
            raise NotFound(message)
        return group

    def _letter(self, key: str) -> tuple[int, int]:
        """Partition and offset of a dead letter's key."""
        topic, _, rest = key.rpartition("/")
        topic, _, partition = topic.rpartition("/")
        if topic != self._parts.letters.topic or not (_is_number(partition) and _is_number(rest)):
            message = f"key is written {self._parts.letters.topic}/partition/offset"
            raise BadRequest(message)
        return int(partition), int(rest)


def wants_text(query: Query) -> bool:
    """Whether the reader has asked to see texts."""
    return query.get("text") == "1"


def static_folder() -> Path:
    """Where the browser's half of the page is."""
    return Path(__file__).parent / "static"


def _asked(call: Any) -> Any:
    try:
        return call()
    except NoSuchRecord as error:
        raise NotFound(str(error)) from None
    except SluiceError as error:
        raise NotAllowed(str(error)) from None


def _record(parts: Parts, topic: str, partition: int, offset: int) -> Any:
    return _asked(lambda: record_at(parts.settings, topic, partition, offset))


def _place(event: KeptEvent) -> tuple[int, int]:
    return event.at_ms, event.number


def _cursor(text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    at_ms, _, number = text.partition(".")
    if not (_is_number(at_ms) and _is_number(number)):
        message = "before is what the answer before named as next"
        raise BadRequest(message)
    return int(at_ms), int(number)


def _span(query: Query) -> str:
    span = query.get("span", "1h")
    if span not in SPANS:
        message = f"span is one of {', '.join(SPANS)}"
        raise BadRequest(message)
    return span


def _share(query: Query, name: str) -> float | None:
    text = query.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        message = f"{name} is a number from 0 to 1, or empty for a tier that is never reached"
        raise BadRequest(message)
    return value


def _whole(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not _is_number(text):
        message = f"{name} is a whole number"
        raise BadRequest(message)
    return min(int(text), most)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20  # noqa: PLR2004 - an offset has 19 digits at most


def _number(wanted: Mapping[str, Any], name: str, most: float) -> float:
    value = wanted.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        message = f"{name} is a number above 0, at most {most:g}"
        raise BadRequest(message)
    return float(value)


def _count(wanted: Mapping[str, Any], name: str) -> int:
    return int(_number(wanted, name, MOST_LETTERS))


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)
