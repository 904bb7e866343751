"""Which faults happen, when and to whom: all drawn from one seed, so that a run can be made again."""

import random
from enum import StrEnum
from typing import NamedTuple

LONGEST_FREEZE_SECONDS = 14.0


class Fault(StrEnum):
    """What can happen to a worker or a broker."""

    KILL_WORKER = "kill-worker"
    STOP_WORKER = "stop-worker"
    FREEZE_WORKER = "freeze-worker"
    JOIN_WORKER = "join-worker"
    LEAVE_WORKER = "leave-worker"
    KILL_BROKER = "kill-broker"
    RESTART_BROKER = "restart-broker"
    CUT_BROKER = "cut-broker"

    @property
    def hits_a_broker(self) -> bool:
        return self in _BROKER_FAULTS


_BROKER_FAULTS = frozenset({Fault.KILL_BROKER, Fault.RESTART_BROKER, Fault.CUT_BROKER})

# A broker takes longer to come back than a worker, and only one of three may be away: fewer of those fit in a run.
_WEIGHTS = {
    Fault.KILL_WORKER: 30,
    Fault.STOP_WORKER: 15,
    Fault.FREEZE_WORKER: 12,
    Fault.JOIN_WORKER: 9,
    Fault.LEAVE_WORKER: 9,
    Fault.KILL_BROKER: 9,
    Fault.RESTART_BROKER: 8,
    Fault.CUT_BROKER: 8,
}

_SECONDS = {
    # Longer than the session (6 s) and, mostly, than the poll interval (8 s) of the fleet's settings.
    Fault.FREEZE_WORKER: (7.0, LONGEST_FREEZE_SECONDS),
    Fault.JOIN_WORKER: (3.0, 12.0),
    Fault.LEAVE_WORKER: (2.0, 8.0),
    Fault.KILL_BROKER: (0.0, 5.0),
    Fault.RESTART_BROKER: (0.0, 2.0),
    # Around the six seconds after which the controller takes a broker for dead: some cuts are noticed, some are not.
    Fault.CUT_BROKER: (2.0, 11.0),
}


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


def make_plan(seed: int, faults: int) -> list[PlannedFault]:
    """So many faults, in order, spread over the run; every kind is among them where there are enough."""
    draw = random.Random(seed)
    kinds = list(Fault)
    drawn = (kinds * (faults >= len(kinds)))[:faults]
    drawn += draw.choices(kinds, [_WEIGHTS[kind] for kind in kinds], k=faults - len(drawn))
    draw.shuffle(drawn)
    # From early on to shortly before the end: what comes after it would meet an idle stream.
    return [
        PlannedFault(
            at=0.03 + 0.92 * number / max(1, faults),
            fault=kind,
            target=draw.randrange(1000),
            seconds=draw.uniform(*_SECONDS.get(kind, (0.0, 0.0))),
        )
        for number, kind in enumerate(drawn)
    ]
