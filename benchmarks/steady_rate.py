"""The rates of a run while it was steady: the slopes of its progress and its costs over time.

A slope is that of the least-squares line, so that it does not depend on whether a batch ends just before the first or
just after the last moment considered.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
"""A moment, in seconds since the epoch, and an amount so far."""

FROM, TO = 0.1, 0.95
"""The part of a run that counts: earlier, caches fill; later, no work is left to overlap with."""


class TooShort(Exception):
    """A run gave too few points for a slope."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run, while it was steady.

    Attributes:
        rate: Comments a second.
        token_rate: Tokens a second, the model's work regardless of which comments fell into the steady part.
        cpu_milliseconds: CPU time of all threads of the scoring process, for one comment.
        model_share: Share of the time in which a batch was in the model.
        broker_cpu_milliseconds: CPU time of the broker for one comment; 0 without a broker.
    """

    rate: float
    token_rate: float
    cpu_milliseconds: float
    model_share: float
    broker_cpu_milliseconds: float = 0.0


def measure(curves: Mapping[str, Sequence[Point]]) -> Measured:
    """The rates of a run, given its `comments`, `tokens`, `cpu_seconds`, `model_seconds` and `broker_cpu_seconds`.

    Raises:
        TooShort: There are fewer than two points between `FROM` and `TO`.
    """
    begin, end = steady(curves["comments"])
    rate, token_rate, cpu, model, broker = (
        slope(curves[name], begin, end) if name in curves else 0.0
        for name in ("comments", "tokens", "cpu_seconds", "model_seconds", "broker_cpu_seconds")
    )
    return Measured(rate, token_rate, 1000 * cpu / rate, model, 1000 * broker / rate)


def steady(comments: Sequence[Point]) -> tuple[float, float]:
    """The first moments at which the shares `FROM` and `TO` of all comments were done."""
    total = comments[-1][1]
    begin, end = (next(at for at, done in comments if done >= share * total) for share in (FROM, TO))
    return begin, end


def slope(curve: Sequence[Point], begin: float, end: float) -> float:
    """Growth a second between two moments.

    Raises:
        TooShort: There are fewer than two points between them.
    """
    kept = [(at, amount) for at, amount in curve if begin <= at <= end]
    if len({at for at, _ in kept}) < 2:
        message = f"{len(kept)} points in the {end - begin:.1f} steady seconds of a run"
        raise TooShort(message)
    return statistics.linear_regression(*zip(*kept, strict=True)).slope
