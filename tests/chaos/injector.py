"""Makes the planned faults happen: those of the cluster one after another in one lane, those of workers in two more."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from tests.chaos.plan import Fault, Lane, PlannedFault
from tests.chaos.worker_faults import StreamEnded

_LOOK_SECONDS = 0.1
_LANES = {Lane.CLUSTER: 1, Lane.WORKER: 2}

Handler = Callable[[PlannedFault], Awaitable[None]]


class FaultInjector:
    """Runs the plan beside the stream, on the event loop of the thread that starts every process.

    Args:
        plan: What to do.
        handlers: What makes each kind of fault happen and undoes it.
        progress: Share of the run that is done, in [0, 1].

    Attributes:
        done: How many faults of each kind happened.
        latest: The fault that began last.
        ending: Whether no more faults begin.
    """

    def __init__(
        self, plan: Sequence[PlannedFault], handlers: Mapping[Fault, Handler], progress: Callable[[], float]
    ) -> None:
        self._waiting = {lane: deque(fault for fault in plan if fault.fault.lane is lane) for lane in Lane}
        self._handlers = handlers
        self._progress = progress
        self.done: Counter[Fault] = Counter()
        self.latest: Fault | None = None
        self.ending = False

    @property
    def next_at(self) -> float:
        """Progress at which the next fault is due; the stream may wait for it, so that all of them meet a stream."""
        return min((faults[0].at for faults in self._waiting.values() if faults), default=1.0)

    async def run(self) -> None:
        """Until the plan is done or `end` was called, and every fault is undone."""
        async with asyncio.TaskGroup() as group:
            for lane, count in _LANES.items():
                for _ in range(count):
                    group.create_task(self._serve(self._waiting[lane]))

    def end(self) -> None:
        """Begin no more faults."""
        self.ending = True

    async def _serve(self, faults: deque[PlannedFault]) -> None:
        while faults and not self.ending:
            if self._progress() < faults[0].at:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            planned = faults.popleft()
            self.latest = planned.fault
            with suppress(StreamEnded):
                await self._handlers[planned.fault](planned)
                self.done[planned.fault] += 1
