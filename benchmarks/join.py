"""How a joining worker disturbs the others: the pauses of the partitions that stay and of those that move.

Comments arrive at a steady rate for every partition in turn, at a share of one worker's capacity, so that without a
rebalance each partition's events follow each other closely. A newcomer first takes cores from the running worker while
it imports and loads; then the group rebalances. The newcomer's log separates the two.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from benchmarks.live import LiveWorker, LogLine, wait_until_shared
from benchmarks.open_loop import Due, Sent, comment, send
from benchmarks.output_log import LOG_APPEND_TIME, AppendedEvent, OutputLog, longest_gap
from testkit.kafka import Kafka
from testkit.stream import Topics

WINDOWS = ("before", "loading", "joining")
"""The worker alone; while a newcomer loads its model; from its join request until both are settled."""

SETTLE_SECONDS = 3.0
_LEAD_IN_SECONDS = 3.0
_LIMIT_SECONDS = 240.0
_JOINS = "working"
_ASSIGNED = "partitions assigned"


@dataclass(frozen=True, slots=True)
class Pause:
    """The longest pauses in one window, in seconds.

    Attributes:
        seconds: Length of the window.
        stayed_gap: Longest time without an event of a partition that did not move.
        stayed_wait: Longest time that a comment of such a partition waited for its label.
        moved_gap: Longest time without an event of a partition that moved.
        moved_wait: Longest time that a comment of such a partition waited for its label.
    """

    seconds: float
    stayed_gap: float
    stayed_wait: float
    moved_gap: float
    moved_wait: float


def watch_join(
    kafka: Kafka, texts: Sequence[str], partitions: int, rate: float, seconds: float, settings: dict[str, object]
) -> dict[str, Pause]:
    """Run one worker at `rate` comments a second for this many seconds; then a second worker joins."""
    topics = Topics(kafka, partitions, **LOG_APPEND_TIME)
    over = threading.Event()
    sent: list[Sent] = []

    def load() -> None:
        sent.append(
            send(kafka.bootstrap_servers, topics.input, schedule(texts, rate), partitions=partitions, over=over)
        )

    with LiveWorker(kafka, topics, settings) as first:
        wait_until_shared([first], partitions)
        sender = threading.Thread(target=load, daemon=True)
        sender.start()
        try:
            time.sleep(_LEAD_IN_SECONDS)
            begun = time.time()
            time.sleep(seconds)
            started = time.time()
            with LiveWorker(kafka, topics, settings) as second:
                wait_until_shared([first, second], partitions)
                time.sleep(SETTLE_SECONDS)
                over.set()
                sender.join()
                (everything,) = sent
                found = OutputLog(kafka, topics, partitions).read(len(everything.due), [first, second], _LIMIT_SECONDS)
                events = [by_input(event, partitions) for event in found]
                joining, assigned, moved = joined(second.log_lines())
        finally:
            over.set()
    spans = ((begun, started), (started, joining), (joining, assigned + SETTLE_SECONDS))
    return pauses(events, everything.due, set(range(partitions)) - moved, moved, dict(zip(WINDOWS, spans, strict=True)))


def by_input(event: AppendedEvent, partitions: int) -> AppendedEvent:
    """The same event under the partition of its comment: the output topic spreads events by their key."""
    return event._replace(partition=event.number % partitions)


def schedule(texts: Sequence[str], rate: float) -> Iterator[Due]:
    """Comments without end, evenly spaced."""
    return (Due(number / rate, number, comment(texts, number)) for number in count())


def joined(log: Iterable[LogLine]) -> tuple[float, float, set[int]]:
    """When a newcomer asked to join, when it last received partitions, and which partitions it received."""
    asked, assigned, moved = 0.0, 0.0, set[int]()
    for line in log:
        if line.event == _JOINS:
            asked = line.at
        elif line.event == _ASSIGNED and (partitions := line.fields["partitions"]):
            assigned = line.at
            moved.update(partitions)
    return asked, assigned, moved


def pauses(
    events: Sequence[AppendedEvent],
    due: Mapping[int, float],
    stayed: set[int],
    moved: set[int],
    windows: Mapping[str, tuple[float, float]],
) -> dict[str, Pause]:
    """The longest pauses of each window; a comment counts where it was due, a gap in each window it overlaps."""
    return {
        name: Pause(
            seconds=end - begin,
            stayed_gap=longest_gap(events, stayed, begin, end),
            stayed_wait=_longest_wait(events, due, stayed, begin, end),
            moved_gap=longest_gap(events, moved, begin, end),
            moved_wait=_longest_wait(events, due, moved, begin, end),
        )
        for name, (begin, end) in windows.items()
    }


def _longest_wait(
    events: Iterable[AppendedEvent], due: Mapping[int, float], partitions: set[int], begin: float, end: float
) -> float:
    waits = (e.at - due[e.number] for e in events if e.partition in partitions and begin <= due[e.number] < end)
    return max(waits, default=0.0)
