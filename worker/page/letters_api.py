"""The answers about dead letters and their replays."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from worker.page.letter_groups import LetterGroup
from worker.page.parts import Parts
from worker.page.query import (
    BadRequest,
    NotAllowed,
    NotFound,
    Query,
    asked,
    is_number,
    limit_of,
    number_in,
    wants_text,
    whole,
    whole_in,
)
from worker.page.replays import LEAST_RATE, MIXED, MOST_LETTERS, MOST_RATE, NONE_LEFT, Refused
from worker.page.unknown import Json, unknown

if TYPE_CHECKING:
    from worker.page.replay import Replay

_READ_ONLY = "this page is read-only: start it with --allow-replay"


class LettersApi:
    """Answers from a page's parts; called on any thread.

    Args:
        parts: Of the page.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

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
        before, limit = whole(query, "before"), limit_of(query)
        older = [letter for letter in self._parts.letters.letters(group) if letter.number < before]
        return {
            "letters": [letter.row(self._parts.letters.topic) for letter in older[:limit]],
            "next": str(older[limit - 1].number) if len(older) > limit > 0 else None,
        }

    def replay_count(self, query: Query) -> Json:
        """How many letters a replay would send, and whether it may."""
        group_id, key = query.get("group"), query.get("key")
        if not (group_id or key):
            message = "name what to replay: group=ID, or key=topic/partition/offset"
            raise BadRequest(message)
        if not self._parts.settings.page.allow_replay:  # before the topic is read for a count that is of no use
            return _not_counted(_READ_ONLY)
        if group_id:
            group = self._group(group_id)
            if group.is_mixed:
                return _not_counted(MIXED)
            count = asked(lambda: self._parts.replays.count_group(group))
            target, why_not = "the topic that each came from", "" if count else NONE_LEFT
        else:
            letter, why_not = asked(lambda: self._parts.replays.target_of(*self._letter(str(key))))
            count, target = int(not why_not), letter.topic
        answer = {"count": count, "target": target, "can_replay": not why_not}
        if count >= MOST_LETTERS:
            answer["at_least"] = True
        return answer | ({"why_not": why_not} if why_not else {})

    def begin_replay(self, wanted: Mapping[str, Any]) -> Json:
        """Begin a replay."""
        if not self._parts.settings.page.allow_replay:
            raise NotAllowed(_READ_ONLY)
        replays = self._parts.replays
        rate = number_in(wanted, "rate", LEAST_RATE, MOST_RATE)
        limit, total = (whole_in(wanted, name, MOST_LETTERS) for name in ("limit", "count"))
        replay: Replay
        try:
            if wanted.get("group"):
                group = self._group(str(wanted["group"]))
                replay = asked(lambda: replays.begin_group(group, rate=rate, limit=limit, total=total))
            elif wanted.get("key"):
                place = self._letter(str(wanted["key"]))
                replay = asked(lambda: replays.begin_one(*place))
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
            raise NotAllowed(_READ_ONLY)
        if not self._parts.replays.stop(replay_id):
            message = "there is no such replay"
            raise NotFound(message)
        return {"id": replay_id}

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
        if topic != self._parts.letters.topic or not (is_number(partition) and is_number(rest)):
            message = f"key is written {self._parts.letters.topic}/partition/offset"
            raise BadRequest(message)
        return int(partition), int(rest)


def _not_counted(why_not: str) -> Json:
    """The answer about a replay that can't be begun, however many letters there are."""
    return {"count": unknown(why_not), "target": unknown(why_not), "can_replay": False, "why_not": why_not}
