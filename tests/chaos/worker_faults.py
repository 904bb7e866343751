"""Faults of workers: killed, stopped, frozen, one more, one less, another model, a wrong clock."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tests.chaos.clocks import shifted_clock
from tests.chaos.fleet import Fleet
from tests.chaos.fleet_worker import AllowedEnd, FleetWorker, Role
from tests.chaos.plan import Fault, PlannedFault
from tests.chaos.variants import Variant

_LOOK_SECONDS = 0.1
_DAYS = 2.0
_CLOCK_ERROR = b"InvalidTimestamp"
_CLOCK_ENDS = (AllowedEnd(5, "InvalidTimestamp"), AllowedEnd(1, "set the clock of this machine"))


class StreamEnded(Exception):
    """The fault came too late to meet a worker at work; it did not happen."""


class WorkerFaults:
    """Handlers of the faults of workers.

    Args:
        fleet: The workers.
        expect: Is told the error of dead letters that a fault makes possible.
        fake_clock: The library that shifts a clock; None where it can't be made.
        ending: Whether no more faults begin.
    """

    def __init__(
        self, fleet: Fleet, expect: Callable[[bytes], object], fake_clock: Path | None, ending: Callable[[], bool]
    ) -> None:
        self._fleet = fleet
        self._expect = expect
        self._fake_clock = fake_clock
        self._ending = ending

    @property
    def handlers(self) -> Mapping[Fault, Callable[[PlannedFault], Awaitable[None]]]:
        """The handler of each kind that is possible here."""
        found = {
            Fault.KILL_WORKER: self._kill,
            Fault.STOP_WORKER: self._stop,
            Fault.FREEZE_WORKER: self._freeze,
            Fault.JOIN_WORKER: self._join,
            Fault.LEAVE_WORKER: self._leave,
            Fault.CHANGE_MODEL: self._change_model,
        }
        return found | ({Fault.SKEW_CLOCK: self._skew_clock} if self._fake_clock else {})

    async def _kill(self, planned: PlannedFault) -> None:
        await self._fleet.kill(await self._chosen(planned))

    async def _stop(self, planned: PlannedFault) -> None:
        await self._fleet.stop(await self._chosen(planned))

    async def _freeze(self, planned: PlannedFault) -> None:
        worker = await self._chosen(planned)
        self._fleet.freeze(worker)
        await asyncio.sleep(planned.seconds)
        self._fleet.thaw(worker)

    async def _join(self, planned: PlannedFault) -> None:
        self._fleet.size += 1
        await asyncio.sleep(planned.seconds)
        self._fleet.size -= 1
        await self._fleet.stop(await self._chosen(planned))

    async def _leave(self, planned: PlannedFault) -> None:
        worker = await self._chosen(planned)
        self._fleet.size -= 1
        await self._fleet.stop(worker)
        await asyncio.sleep(planned.seconds)
        self._fleet.size += 1

    async def _change_model(self, planned: PlannedFault) -> None:
        """Killed or stopped, and replaced by a worker with another model and set, which is then replaced in turn."""
        worker = await self._chosen(planned)
        role = Role(Variant.LENIENT)
        self._fleet.roles.append(role)
        await (self._fleet.kill(worker) if planned.target % 2 else self._fleet.stop(worker))
        await self._replace_back(planned, role)

    async def _skew_clock(self, planned: PlannedFault) -> None:
        """Replaced by a worker whose clock is two days ahead or behind.

        Ahead, the output topic refuses its label events (`message.timestamp.after.max.ms` is an hour): they become dead
        letters, until the circuit breaker ends the worker.
        """
        assert self._fake_clock is not None
        worker = await self._chosen(planned)
        days, allowed = (_DAYS, _CLOCK_ENDS) if planned.target % 2 else (-_DAYS, ())
        if days > 0:
            self._expect(_CLOCK_ERROR)
        role = Role(environment=shifted_clock(self._fake_clock, days), allowed=allowed)
        self._fleet.roles.append(role)
        await self._fleet.stop(worker)
        await self._replace_back(planned, role)

    async def _replace_back(self, planned: PlannedFault, role: Role) -> None:
        """Wait until the replacement works, leave it some time, and stop it: the usual follows."""
        while not any(worker.role is role and worker.works for worker in self._fleet.workers):
            self._stop_if_ending()
            if any(worker.role is role for worker in self._fleet.ended):
                return  # another fault was faster
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(planned.seconds)
        for worker in self._fleet.free:
            if worker.role is role:
                await self._fleet.stop(worker)

    async def _chosen(self, planned: PlannedFault) -> FleetWorker:
        """The one the plan means; waits while every worker is in the hands of a fault or starting.

        Raises:
            StreamEnded: No more faults begin, for there is nothing left to do.
        """
        while (worker := self._fleet.choose(planned.target)) is None:
            self._stop_if_ending()
            await asyncio.sleep(_LOOK_SECONDS)
        return worker

    def _stop_if_ending(self) -> None:
        if self._ending():
            raise StreamEnded
