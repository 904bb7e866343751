"""Compares what came out with what the workers counted and logged.

Counters are read every second, right before a worker is killed or told to stop, and at the end, when nothing is left to
do. So of a worker that lived to the end they are exact; of one that ended before, they are what it had counted by then,
and may lack its last moments, but must never claim more than what came out.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tests.chaos.fleet_worker import FleetWorker
from tests.chaos.losses import BELOW_START, RECREATED
from tests.chaos.worker_metrics import Counts, total

_EXACTLY_ONCE = "exactly-once"


class Account(NamedTuple):
    """One thing that is counted in two ways.

    Attributes:
        what: In words.
        counted: By workers' counters.
        found: By the run: in the dead letters, or in the workers' logs.
    """

    what: str
    counted: int
    found: int


def dead_letter_accounts(workers: Sequence[FleetWorker], came: Counter[tuple[str, str]]) -> list[Account]:
    """Dead letters by error."""
    counted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for worker in workers:
        counted.update({error: _of(worker.counts, error) for error in _errors(worker, came)})
    for (_, error), count in came.items():
        found[error] += count
    return [Account(f"dead letters {error}", counted[error], found[error]) for error in sorted(counted | found)]


def move_accounts(workers: Sequence[FleetWorker]) -> list[Account]:
    """Positions moved, by reason, and offsets skipped."""
    counts = [worker.counts for worker in workers]
    logged = Counter(move.reason for worker in workers for move in worker.moves)
    reasons = logged.keys() | {key[1] for each in counts for key in each if key[0] == "positions_moved"}
    moved = [
        Account(f"positions moved {reason}", total(counts, "positions_moved", reason), logged[reason])
        for reason in sorted(reasons)
    ]
    skipped = sum(map(_skipped, workers))
    return [*moved, Account("offsets skipped", total(counts, "records_skipped"), skipped)]


def discrepancies(workers: Sequence[FleetWorker], came: Counter[tuple[str, str]]) -> list[str]:
    """Where a worker's counters and the rest do not agree, in words."""
    found = []
    for worker in workers:
        pairs = [
            *(
                (f"dead letters {error}", _of(worker.counts, error), came[worker.name, error])
                for error in _errors(worker, came)
            ),
            *(
                (f"positions moved {reason}", worker.counts["positions_moved", reason], count)
                for reason, count in _moved(worker).items()
            ),
            ("offsets skipped", total([worker.counts], "records_skipped"), _skipped(worker)),
        ]
        for what, counted, seen in pairs:
            if counted > seen or (worker.counted_all and counted < seen):
                found.append(f"{worker.name} counted {counted:,} {what}, and there are {seen:,}")
    return found


def uncounted(workers: Sequence[FleetWorker], came: Counter[tuple[str, str]]) -> int:
    """How many dead letters have come that their workers did not count, by the counters read last.

    A reader can see a commit before its worker has the broker's response, and counts what it committed.
    """
    return sum(
        max(0, came[worker.name, error] - _of(worker.counts, error))
        for worker in workers
        for error in _errors(worker, came)
    )


class Repeats(NamedTuple):
    """How many repeats the counters explain with at-least-once.

    Attributes:
        interruptions: Workers that did not end with everything committed, partitions given away, commits that failed.
        most: So many records at most are published and not committed at each.
    """

    interruptions: int
    most: int


def explained_repeats(workers: Sequence[FleetWorker], guarantee: str, in_flight: int) -> Repeats:
    """None with exactly-once; otherwise what was in flight at each interruption."""
    if guarantee == _EXACTLY_ONCE:
        return Repeats(0, 0)
    counts = [worker.counts for worker in workers]
    unclean = sum(worker.process.poll() != 0 for worker in workers)
    given_away = total(counts, "rebalances", "revoke") + total(counts, "rebalances", "lost")
    interruptions = unclean + given_away + total(counts, "commits", "failed")
    return Repeats(interruptions, interruptions * in_flight)


def _moved(worker: FleetWorker) -> Counter[str]:
    """How many moves it logged, by reason; zero of those that it only counted."""
    logged = Counter({key[1]: 0 for key in worker.counts if key[0] == "positions_moved"})
    logged.update(move.reason for move in worker.moves)
    return logged


def _skipped(worker: FleetWorker) -> int:
    below = sum(move.end - (move.begin or 0) for move in worker.moves if move.reason == BELOW_START)
    return below + sum(move.end for move in worker.moves if move.reason == RECREATED)


def _errors(worker: FleetWorker, came: Counter[tuple[str, str]]) -> set[str]:
    counted = {key[1] for key in worker.counts if key[0] == "dead_letters"}
    return counted | {error for name, error in came if name == worker.name}


def _of(counts: Counts, error: str) -> int:
    return sum(value for key, value in counts.items() if key[0] == "dead_letters" and key[1] == error)
