"""Whether a process grows: the slope of its memory, threads or descriptors once it has warmed up."""

import statistics
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from benchmarks.results import OURS

WARM_UP_SHARE = 0.25
"""Share of the time that is left out of the slope, while caches fill and the allocator settles."""


class Timed(Protocol):
    """A sample of a process."""

    @property
    def seconds(self) -> float:
        """Time since the first sample."""


class Resident(Timed, Protocol):
    """A sample of a process's memory."""

    @property
    def resident_mib(self) -> float:
        """Its resident memory."""


S = TypeVar("S", bound=Timed)


def after_warm_up(samples: Sequence[S]) -> list[S]:
    """The samples from which a slope is taken."""
    return [sample for sample in samples if sample.seconds >= WARM_UP_SHARE * samples[-1].seconds]


def growth_an_hour(samples: Sequence[Timed], name: str) -> float:
    """Growth of the quantity `name` in an hour, by least squares over the samples after the warm-up."""
    kept = after_warm_up(samples)
    hours = [sample.seconds / 3600 for sample in kept]
    return statistics.linear_regression(hours, [float(getattr(sample, name)) for sample in kept]).slope


def draw_memory(figure: Any, title: str, samples: Sequence[Resident]) -> None:
    """Draw resident memory over time, from zero."""
    axes = figure.add_subplot()
    axes.plot([s.seconds / 60 for s in samples], [s.resident_mib for s in samples], color=OURS)
    axes.set_title(title)
    axes.set_xlabel("minutes")
    axes.set_ylabel("MiB")
    axes.set_ylim(bottom=0)
