"""Alternating rounds: every rival runs once a round, so that a noisy neighbour disturbs all of them equally."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds and CPU seconds of one run of a rival that is in another process, which it measures itself."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of one rival over all rounds.

    Attributes:
        wall: Seconds of each round.
        cpu: CPU seconds of the rival's process in each round; steady even while other processes use the cores.
    """

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    def rate(self, count: int) -> float:
        """Median rate of `count` things, a second."""
        return count / statistics.median(self.wall)

    def cpu_rate(self, count: int) -> float:
        """Median rate of `count` things, for each second of CPU time."""
        return count / statistics.median(self.cpu)

    @property
    def spread(self) -> float:
        """Slowest round over fastest, minus one."""
        return max(self.wall) / min(self.wall) - 1


def run_rounds(
    rivals: Mapping[str, Callable[[], object]], rounds: int, report: Callable[[str, float], None]
) -> dict[str, Timing]:
    """Time each rival `rounds` times, in alternating order; `report` is called with each time.

    What a rival returns is ignored, unless it is `Spent`: then these are its times.
    """
    wall: dict[str, list[float]] = {name: [] for name in rivals}
    cpu: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(rounds):
        for name in list(rivals) if number % 2 == 0 else list(rivals)[::-1]:
            started, started_cpu = time.perf_counter(), time.process_time()
            result = rivals[name]()
            spent = Spent(time.perf_counter() - started, time.process_time() - started_cpu)
            spent = result if isinstance(result, Spent) else spent
            wall[name].append(spent.wall)
            cpu[name].append(spent.cpu)
            report(name, wall[name][-1])
    return {name: Timing(tuple(wall[name]), tuple(cpu[name])) for name in rivals}
