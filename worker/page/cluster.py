"""What the cluster knows of the worker's group: how far it has come, who is in it, and how old its oldest work is.

The group's offsets are the cluster's own, so the lag is right where no worker runs. Each question may fail by itself,
for a right that this principal lacks or a broker that is away, and its answer is then not known, with the reason.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from worker.errors import SluiceError
from worker.kafka.client.cluster_metadata import ConnectionErrors, list_topics
from worker.kafka.client.error_codes import REFUSED, describe, error_of
from worker.kafka.client.log_queries import ANSWER_SECONDS, Answer, LogEnds, LogEndsAnswer, LogQueries
from worker.kafka.client.properties import client_properties, make_client
from worker.kafka.client.rights import Right, lacking
from worker.kafka.embedded.broker import CLUSTER_ID_PREFIX
from worker.page.oldest import OldestUnscored
from worker.page.unknown import Json, unknown
from worker.settings import Settings
from worker.types import Partition

_LOOK_SECONDS = 2.0
_ASK_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_HISTORY = 450
"""Looks that are remembered: 15 minutes."""

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """One worker of the group, as its coordinator names it."""

    id: str
    host: str
    client_id: str
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What one look found; a string in place of an answer says why there is none.

    Attributes:
        at_ms: When.
        broker: Empty where a broker answered.
        topics: The partitions of each topic that the settings name; a topic that is not there has none.
        ends: Where the partitions of these topics begin and end.
        committed: The group's next offset of the input's partitions, without those that have none.
        members: Of the group.
        state: The group's state, as the coordinator names it.
        oldest_seconds: How old the oldest record is that the group has not settled; 0 where there is none.
    """

    at_ms: int
    broker: str
    topics: Mapping[str, int] | str = field(default_factory=dict)
    ends: Mapping[Partition, LogEnds] | str = field(default_factory=dict)
    committed: Mapping[Partition, int] | str = field(default_factory=dict)
    members: Sequence[Member] | str = ()
    state: str = ""
    oldest_seconds: float | str = "it has not been looked at yet"

    def records_in(self, topic: str) -> int | str:
        """How many offsets a topic holds now; the reason where that is not known."""
        if isinstance(self.ends, str):
            return self.ends
        found = [ends.end - ends.first for (name, _), ends in self.ends.items() if name == topic]
        return sum(found) if found else f"topic {topic} does not exist, or may not be described; see Health"

    def end_of(self, topics: Sequence[str]) -> int | None:
        """The sum of the ends of these topics' partitions; None where they are not known."""
        if isinstance(self.ends, str):
            return None
        ends = [found.end for (topic, _), found in self.ends.items() if topic in topics]
        return sum(ends) if ends else None


NOT_LOOKED = "the cluster has not been asked yet"


class Cluster:
    """Asks the cluster every two seconds, on a thread of its own.

    Args:
        settings: The worker's settings.
        clock: Monotonic seconds.
        wall_clock: Seconds since the epoch.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.view = ClusterView(0, NOT_LOOKED, NOT_LOOKED, NOT_LOOKED, NOT_LOOKED, NOT_LOOKED, "", NOT_LOOKED)
        self.history: deque[ClusterView] = deque(maxlen=_HISTORY)
        self._settings = settings
        self._clock = clock
        self._wall_clock = wall_clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._errors = ConnectionErrors()
        self._admin: AdminClient = make_client(
            AdminClient, client_properties(settings) | {"log_level": 0}, error_cb=self._errors.serve
        )
        self._queries = LogQueries(settings, clock)
        self._oldest = OldestUnscored(settings, clock, wall_clock)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(_LOOK_SECONDS)

    def inputs(self) -> tuple[str, ...]:
        """The input topics, as far as they are known."""
        settings = self._settings.input
        topics = self.view.topics
        return settings.topics or (() if isinstance(topics, str) else tuple(filter(settings.reads, topics)))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                view = self._look()
            except Exception:
                log.exception("a look at the cluster failed")
                why = "the look at the cluster failed; the page's log has the error"
                view = ClusterView(self._now_ms(), why, why, why, why, why, "", why)
            self.view = view
            self.history.append(view)
            self._stop.wait(_LOOK_SECONDS)
        self._oldest.close()

    def _look(self) -> ClusterView:
        now = self._now_ms()
        try:
            self._errors.fault = None
            found = list_topics(self._admin, self._settings, self._errors, announced=True)
        except SluiceError as error:
            why = str(error)
            return ClusterView(now, why, why, why, why, why, "", why)
        settings = self._settings
        inputs = settings.input.topics or tuple(sorted(filter(settings.input.reads, found.topics)))
        named = (*inputs, settings.output.topic, settings.dead_letters.topic)
        topics = {name: len(found.topics[name].partitions) if name in found.topics else 0 for name in named}
        read = [(name, number) for name in named for number in range(topics[name])]
        ends = self._ends(read)
        committed = self._committed([place for place in read if place[0] in inputs])
        members, state = self._members(embedded=str(found.cluster_id).startswith(CLUSTER_ID_PREFIX))
        oldest = self._oldest.seconds(ends, committed, inputs)
        return ClusterView(now, "", topics, ends, committed, members, state, oldest)

    def _ends(self, partitions: Sequence[Partition]) -> Mapping[Partition, LogEnds] | str:
        answer = self._queries.ends(partitions)
        self._wait(answer)
        ends = answer.result()
        if partitions and not ends:
            return "the ends of the topics can't be asked: " + lacking(Right("Describe", "topic", partitions[0][0]))
        return ends

    def _committed(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | str:
        if not partitions:
            return "there is no input topic; `sluice topics` creates it"
        answer = self._queries.group_offsets(partitions)
        self._wait(answer)
        try:
            return {(found.topic, found.partition): found.offset for found in answer.result()}
        except KafkaException as error:
            return self._why(error, "the group's offsets")
        except TimeoutError:
            return "the group's coordinator has not answered yet"

    def _members(self, *, embedded: bool) -> tuple[Sequence[Member] | str, str]:
        if embedded:
            return "the embedded broker does not say who is in a group; a real one does", ""
        group = self._settings.kafka.group_id
        try:
            found = self._admin.describe_consumer_groups([group], request_timeout=_ASK_SECONDS)[group].result(
                ANSWER_SECONDS
            )
        except KafkaException as error:
            return self._why(error, "the group's members"), ""
        except TimeoutError:
            return "the group's coordinator has not answered yet", ""
        members = [
            Member(
                one.member_id,
                str(one.host),
                str(one.client_id),
                tuple((p.topic, p.partition) for p in one.assignment.topic_partitions) if one.assignment else (),
            )
            for one in found.members
        ]
        return members, found.state.name.lower().replace("_", " ")

    def _wait(self, answer: "Answer | LogEndsAnswer") -> None:
        until = self._clock() + ANSWER_SECONDS
        while not answer.done() and self._clock() < until and not self._stop.wait(_PAUSE_SECONDS):
            pass

    def _why(self, exception: KafkaException, what: str) -> str:
        error = error_of(exception)
        if error.code() in REFUSED:
            return f"{what} can't be asked: " + lacking(Right("Describe", "group", self._settings.kafka.group_id))
        return f"{what} can't be asked: {describe(error)}"

    def _now_ms(self) -> int:
        return int(self._wall_clock() * 1000)


def lag_json(view: ClusterView, inputs: Sequence[str]) -> dict[str, Json]:
    """The lag by partition, and in all; a partition without a commit has all of its records before it."""
    ends, committed, members = view.ends, view.committed, view.members
    holders = {} if isinstance(members, str) else {place: one.id for one in members for place in one.partitions}
    if isinstance(ends, str):
        return {"total": unknown(ends), "partitions": []}
    rows = []
    for (topic, number), found in sorted(ends.items()):
        if topic not in inputs:
            continue
        row: dict[str, Json] = {"topic": topic, "partition": number, "end": found.end}
        if isinstance(committed, str):
            row |= {"committed": unknown(committed), "lag": unknown(committed)}
        else:
            offset = committed.get((topic, number))
            at = max(found.first, offset or 0)
            row |= {
                "committed": unknown("the group has committed nothing for this partition yet")
                if offset is None
                else offset,
                "lag": max(0, found.end - at),
            }
        row["member"] = unknown(members) if isinstance(members, str) else holders.get((topic, number))
        rows.append(row)
    if not rows:
        return {"total": unknown("there is no input topic; `sluice topics` creates it"), "partitions": []}
    total = unknown(committed) if isinstance(committed, str) else sum(row["lag"] for row in rows)
    return {"total": total, "partitions": rows}


def members_json(view: ClusterView) -> Json:
    """The members of the group and what each of them holds."""
    if isinstance(view.members, str):
        return unknown(view.members)
    return [
        {
            "id": one.id,
            "host": one.host,
            "client_id": one.client_id,
            "partitions": [{"topic": topic, "partition": number} for topic, number in sorted(one.partitions)],
        }
        for one in view.members
    ]
