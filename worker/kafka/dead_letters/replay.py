"""Sends dead letters back to the topic they came from, each once.

A replayed record keeps its key, value and own headers, loses the headers that describe its failure, and counts its
replays (`dlq.replay_count`), so that a record that no model will ever accept does not circulate forever.

The position (`worker.kafka.dead_letters.replay_position`) moves past letters only when every one of them that was to be
sent is acknowledged. A replay that dies before that sends them again; none is skipped unsent. One number per partition
can't say which letters a filter left out, so a replay with a filter doesn't move it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from worker.kafka.client.retry import Sleep, Uniform
from worker.kafka.dead_letters.reader import DeadLetter, Filter, read_dead_letters
from worker.kafka.dead_letters.replay_position import ReplayPosition
from worker.kafka.dead_letters.returns import RefusedReturn, Returns
from worker.protocols import Clock
from worker.settings import Settings

_ACKNOWLEDGED_TOGETHER = 200


@dataclass(slots=True)
class Replayed:
    """What a replay did, or would have done in a dry run.

    Attributes:
        replayed: Letters sent back.
        over_limit: Letters left because they have been replayed too often.
        without_topic: Letters left because they don't say where they came from.
        refused: Letters left because their topic does not accept them.
        moves_position: Whether the next replay starts after these letters, including those left.
    """

    moves_position: bool
    replayed: int = 0
    over_limit: int = 0
    without_topic: int = 0
    refused: list[RefusedReturn] = field(default_factory=list)


def replay_dead_letters(
    settings: Settings,
    chosen: Filter,
    *,
    clock: Clock,
    sleep: Sleep,
    uniform: Uniform,
    from_beginning: bool = False,
    dry_run: bool = False,
    topic: str | None = None,
    limit: int | None = None,
    rate: float | None = None,
    progress: Callable[[DeadLetter], None] = lambda _: None,
    acknowledged: Callable[[Sequence[DeadLetter]], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Replayed:
    """Send back the dead letters that no replay has reached yet, and return once each is acknowledged.

    Args:
        settings: The worker's settings; `dead_letters.max_replays` is the hop limit.
        chosen: Which letters to send. With `since`, also those replayed before; with any condition, the position stays.
        clock: Monotonic seconds.
        sleep: Waits between attempts to find or move the position.
        uniform: Draws the length of those waits.
        from_beginning: Also send those replayed before.
        dry_run: Only count; the position stays.
        topic: Where to send them; None for the topic each was read from.
        limit: How many letters to look at, at most; None for all. The next replay goes on behind them.
        rate: Letters a second, at most; None for as fast as the broker takes them.
        progress: Called with each letter that is, or would be, sent.
        acknowledged: Called with letters as soon as the broker has acknowledged them, so that a replay that fails later
            leaves them known. Never in a dry run.
        stopped: Asked before each letter and after each wait; once it returns True no more are sent. Those that were
            are acknowledged, and the position moves past them alone.

    Raises:
        NoBroker: No broker answered in time.
        Fatal: A record could not be delivered. Those before it may have been; their readers see a duplicate after
            another replay.
    """
    done = Replayed(moves_position=not dry_run and chosen == Filter())
    position = ReplayPosition(settings, clock=clock, sleep=sleep, uniform=uniform)
    try:
        returns = None if dry_run else Returns(settings)
        starts = None if from_beginning or chosen.since else position.find
        letters = read_dead_letters(settings, chosen, clock=clock, starts=starts)
        letters = takewhile(lambda _: not stopped(), islice(letters, limit))
        pace = _Pace(rate, clock, sleep)
        while together := list(islice(letters, pace.together)):
            sent: list[DeadLetter] = []
            passed: list[DeadLetter] = []
            for letter in together:
                target = topic or letter.topic
                if letter.replays >= settings.dead_letters.max_replays:
                    done.over_limit += 1
                elif not target:
                    done.without_topic += 1
                else:
                    if returns is not None:
                        pace.wait()
                        if stopped():  # a stop must not wait for the rest of what is acknowledged together
                            break
                        returns.send(letter, target)
                        sent.append(letter)
                    done.replayed += 1
                    progress(letter)
                passed.append(letter)
            if returns is not None:
                refused = returns.settle()
                _leave(done, refused)
                left = {id(one.letter) for one in refused}
                acknowledged([letter for letter in sent if id(letter) not in left])
            if done.moves_position and passed:
                position.move(_next_offsets(passed))
    finally:
        position.close()
    return done


class _Pace:
    """Spreads letters evenly over time."""

    def __init__(self, rate: float | None, clock: Clock, sleep: Sleep) -> None:
        self._seconds = 1 / rate if rate else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    @property
    def together(self) -> int:
        """Letters acknowledged together: those of a second, so that a slow replay's position moves, too."""
        return min(_ACKNOWLEDGED_TOGETHER, max(1, int(1 / self._seconds))) if self._seconds else _ACKNOWLEDGED_TOGETHER

    def wait(self) -> None:
        """Wait until the next letter may go."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(self._next, now) + self._seconds


def _next_offsets(letters: list[DeadLetter]) -> dict[int, int]:
    """The offset after these letters in each partition."""
    offsets: dict[int, int] = {}
    for letter in letters:
        partition, offset = letter.record.partition(), letter.record.offset()
        assert partition is not None  # noqa: S101 - a consumed record has both
        assert offset is not None  # noqa: S101 - likewise
        offsets[partition] = offset + 1
    return offsets


def _leave(done: Replayed, refused: list[RefusedReturn]) -> None:
    """Count the letters that their topic refused as left."""
    done.refused += refused
    done.replayed -= len(refused)
