"""Which faults happen, when and to whom: all drawn from one seed, so that a run can be repeated."""

import random
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

LONGEST_FREEZE_SECONDS = 14.0


class Lane(StrEnum):
    """What a fault hits; of three brokers only one may be away, so faults of the cluster happen one after another."""

    WORKER = "worker"
    CLUSTER = "cluster"


class Fault(StrEnum):
    """What can happen to a worker, a broker or a topic."""

    KILL_WORKER = "kill-worker"
    STOP_WORKER = "stop-worker"
    FREEZE_WORKER = "freeze-worker"
    JOIN_WORKER = "join-worker"
    LEAVE_WORKER = "leave-worker"
    KILL_BROKER = "kill-broker"
    RESTART_BROKER = "restart-broker"
    CUT_BROKER = "cut-broker"
    CHANGE_MODEL = "change-model"
    SKEW_CLOCK = "skew-clock"
    ROLL_BROKERS = "roll-brokers"
    SLOW_DISK = "slow-disk"
    FULL_DISK = "full-disk"
    ADD_PARTITION = "add-partition"
    RECREATE_TOPIC = "recreate-topic"
    CUT_RETENTION = "cut-retention"
    LOWER_LIMIT = "lower-limit"
    WITHDRAW_RIGHT = "withdraw-right"

    @property
    def lane(self) -> Lane:
        return _TRAITS[self].lane


class _Traits(NamedTuple):
    """How a kind is drawn.

    Attributes:
        lane: What it hits.
        weight: How often it is drawn, compared with the others.
        seconds: The shortest and the longest time it lasts; how long an event takes has none.
    """

    lane: Lane
    weight: int
    seconds: tuple[float, float] = (0.0, 0.0)


# A broker takes longer to come back than a worker, so fewer of its faults fit in a run.
_TRAITS = {
    Fault.KILL_WORKER: _Traits(Lane.WORKER, 30),
    Fault.STOP_WORKER: _Traits(Lane.WORKER, 15),
    # Longer than the session (6 s) and, mostly, than the poll interval (8 s) of the fleet's settings.
    Fault.FREEZE_WORKER: _Traits(Lane.WORKER, 12, (7.0, LONGEST_FREEZE_SECONDS)),
    Fault.JOIN_WORKER: _Traits(Lane.WORKER, 9, (3.0, 12.0)),
    Fault.LEAVE_WORKER: _Traits(Lane.WORKER, 9, (2.0, 8.0)),
    Fault.KILL_BROKER: _Traits(Lane.CLUSTER, 9, (0.0, 5.0)),
    Fault.RESTART_BROKER: _Traits(Lane.CLUSTER, 8, (0.0, 2.0)),
    # Around the six seconds after which the controller considers a broker dead: some cuts are noticed, some are not.
    Fault.CUT_BROKER: _Traits(Lane.CLUSTER, 8, (2.0, 11.0)),
    Fault.CHANGE_MODEL: _Traits(Lane.WORKER, 8, (4.0, 12.0)),
    Fault.SKEW_CLOCK: _Traits(Lane.WORKER, 8, (6.0, 12.0)),
    Fault.ROLL_BROKERS: _Traits(Lane.CLUSTER, 2),
    Fault.SLOW_DISK: _Traits(Lane.CLUSTER, 5, (4.0, 10.0)),
    Fault.FULL_DISK: _Traits(Lane.CLUSTER, 5, (0.0, 4.0)),
    Fault.ADD_PARTITION: _Traits(Lane.CLUSTER, 7),
    Fault.RECREATE_TOPIC: _Traits(Lane.CLUSTER, 6, (0.0, 4.0)),
    # Shorter than the session: the frozen workers keep their partitions.
    Fault.CUT_RETENTION: _Traits(Lane.CLUSTER, 8, (2.0, 4.0)),
    Fault.LOWER_LIMIT: _Traits(Lane.CLUSTER, 6, (3.0, 8.0)),
    Fault.WITHDRAW_RIGHT: _Traits(Lane.CLUSTER, 5, (3.0, 7.0)),
}

_CLASSIC = tuple(Fault)[:8]
KINDS = {
    "classic": _CLASSIC,
    "cluster": tuple(fault for fault in Fault if fault not in _CLASSIC),
    "all": tuple(Fault),
}
"""The kinds of fault by the name of their set: processes that die or stop answering, what else a cluster's life brings,
and both."""


def kinds_named(names: str) -> tuple[Fault, ...]:
    """The kinds of a comma-separated list of sets (`classic`, `cluster`, `all`) and of single kinds.

    Raises:
        ValueError: There is no such set or kind.
    """
    found: dict[Fault, None] = {}
    for name in names.split(","):
        found |= dict.fromkeys(KINDS[name] if name in KINDS else (Fault(name),))
    return tuple(found)


class PlannedFault(NamedTuple):
    """One fault.

    Attributes:
        at: When, as a share of the run's progress in [0, 1].
        fault: What.
        target: Chooses the worker or broker: the one of this number, modulo how many there are by then.
        seconds: How long it lasts.
    """

    at: float
    fault: Fault
    target: int
    seconds: float


def make_plan(seed: int, faults: int, kinds: Collection[Fault] = tuple(Fault)) -> list[PlannedFault]:
    """So many faults of these kinds, in order, spread over the run; where there are enough, each kind is among them."""
    draw = random.Random(seed)
    choices = list(kinds)
    drawn = (choices * (faults >= len(choices)))[:faults]
    drawn += draw.choices(choices, [_TRAITS[kind].weight for kind in choices], k=faults - len(drawn))
    draw.shuffle(drawn)
    # From early on to shortly before the end: what comes after it would meet an idle stream.
    return [
        PlannedFault(
            at=0.03 + 0.92 * number / max(1, faults),
            fault=kind,
            target=draw.randrange(1000),
            seconds=draw.uniform(*_TRAITS[kind].seconds),
        )
        for number, kind in enumerate(drawn)
    ]
