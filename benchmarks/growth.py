"""Whether a process grows: the slope of what it holds, once it is warm."""

import statistics
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from benchmarks.results import OURS

WARM_UP_SHARE = 0.25
"""Of the time, left out of the slope: caches fill, the allocator finds its size."""


class Timed(Protocol):
    """A sample of a process."""

    @property
    def seconds(self) -> float:
        """Since the first."""


class Resident(Timed, Protocol):
    """A sample of its memory."""

    @property
    def resident_mib(self) -> float:
        """What it holds."""


S = TypeVar("S", bound=Timed)


def after_warm_up(samples: Sequence[S]) -> list[S]:
    """The samples that a slope is taken over."""
    return [sample for sample in samples if sample.seconds >= WARM_UP_SHARE * samples[-1].seconds]


def growth_an_hour(samples: Sequence[Timed], name: str) -> float:
    """Growth of this quantity an hour: least squares over what follows the warm-up."""
    kept = after_warm_up(samples)
    hours = [sample.seconds / 3600 for sample in kept]
    return statistics.linear_regression(hours, [float(getattr(sample, name)) for sample in kept]).slope


def draw_memory(figure: Any, title: str, samples: Sequence[Resident]) -> None:
    """Resident memory over time, from zero."""
    axes = figure.add_subplot()
    axes.plot([s.seconds / 60 for s in samples], [s.resident_mib for s in samples], color=OURS)
    axes.set_title(title)
    axes.set_xlabel("minutes")
    axes.set_ylabel("MiB")
    axes.set_ylim(bottom=0)
