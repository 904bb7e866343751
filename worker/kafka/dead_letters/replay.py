"""Sending dead letters back to the topic they came from, each once.

A replayed record keeps its key, value and own headers, loses what describes its failure, and counts its hops
(`dlq.replay_count`), so that a record no model will ever take does not go round for ever.

The position (`worker.kafka.dead_letters.replay_position`) moves past letters only when every one of them that was to be
sent is acknowledged. A replay that dies before that sends them again; none is passed over unsent. One number for each
partition can't say which letters a filter left out, so a replay with a filter doesn't move it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from worker.kafka.client.retry import Sleep, Uniform
from worker.kafka.dead_letters.reader import DeadLetter, Filter, read_dead_letters
from worker.kafka.dead_letters.replay_position import ReplayPosition
from worker.kafka.dead_letters.returns import RefusedReturn, Returns
from worker.protocols import Clock
from worker.settings import Settings

_ACKNOWLEDGED_TOGETHER = 200


@dataclass(slots=True)
class Replayed:
    """What a replay did, or with a dry run would have done.

    Attributes:
        replayed: Sent back.
        over_limit: Left for having been replayed too often.
        without_topic: Left for not saying where they came from.
        refused: Left because their topic does not take them.
        moves_position: Whether the next replay goes on behind these letters, the ones left included.
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
    progress: Callable[[DeadLetter], None] = lambda _: None,
) -> Replayed:
    """Send back the dead letters that no replay has passed yet, and return once each is acknowledged.

    Args:
        settings: The worker's settings; `dead_letters.max_replays` is the hop limit.
        chosen: Which ones. With `since`, also those that were replayed before; with any condition, the position stays.
        clock: Monotonic seconds.
        sleep: Waits between attempts to find or move the position.
        uniform: Draws the length of those waits.
        from_beginning: Also those that were replayed before.
        dry_run: Only count; the position stays.
        topic: Where to; None: the topic each was read from.
        progress: Told of each letter that is, or would be, sent.

    Raises:
        NoBroker: None answered in time.
        Fatal: A record could not be delivered. Those before it may have been; their readers see a repeat after another
            replay.
    """
    done = Replayed(moves_position=not dry_run and chosen == Filter())
    position = ReplayPosition(settings, clock=clock, sleep=sleep, uniform=uniform)
    try:
        returns = None if dry_run else Returns(settings)
        starts = None if from_beginning or chosen.since else position.find
        letters = read_dead_letters(settings, chosen, clock=clock, starts=starts)
        while together := list(islice(letters, _ACKNOWLEDGED_TOGETHER)):
            for letter in together:
                target = topic or letter.topic
                if letter.replays >= settings.dead_letters.max_replays:
                    done.over_limit += 1
                elif not target:
                    done.without_topic += 1
                else:
                    if returns is not None:
                        returns.send(letter, target)
                    done.replayed += 1
                    progress(letter)
            if returns is not None:
                _leave(done, returns.settle())
            if done.moves_position:
                position.move(_next_offsets(together))
    finally:
        position.close()
    return done


def _next_offsets(letters: list[DeadLetter]) -> dict[int, int]:
    """Behind these letters, partition by partition."""
    offsets: dict[int, int] = {}
    for letter in letters:
        partition, offset = letter.record.partition(), letter.record.offset()
        assert partition is not None  # noqa: S101 - a consumed record has both
        assert offset is not None  # noqa: S101
        offsets[partition] = offset + 1
    return offsets


def _leave(done: Replayed, refused: list[RefusedReturn]) -> None:
    """Count the letters that their topic did not take among those left."""
    done.refused += refused
    done.replayed -= len(refused)
