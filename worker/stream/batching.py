"""Decides when a micro-batch is ready. Takes the time as an argument and never sleeps.

Work-conserving (as TEI's and Triton's queues are): a batch is whatever has arrived when the model becomes free, up to
the limits; with several lanes it is one lane's share of that. A linger, counted from the first record, can ask for
fuller batches; it is off by default.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

FEWEST_TOKENS = 128
"""A lane's share of what waits is at least this many tokens: a pass over fewer takes hardly less time."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """A batch ends before it exceeds one of these, but holds at least one item.

    Attributes:
        records: Items.
        tokens: Tokens the model will compute.
        linger_seconds: How long a batch that is not full waits for more, from its first item on.
    """

    records: int
    tokens: int
    linger_seconds: float = 0.0


class Batcher(Generic[T]):
    """Holds items in order until the model takes them; not thread-safe."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[T, int, float]] = deque()
        self._tokens = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """True when more items could not make the next batch larger."""
        return len(self._waiting) >= self._limits.records or self._tokens >= self._limits.tokens

    def add(self, items: Sequence[tuple[T, int]], now: float) -> None:
        """Append items, each with the tokens it will cost."""
        for item, tokens in items:
            self._waiting.append((item, tokens, now))
            self._tokens += tokens

    def ready_in(self, now: float) -> float | None:
        """Seconds until a batch may be taken: 0 when at once, None while there is nothing."""
        if not self._waiting:
            return None
        if self.is_full:
            return 0.0
        return max(0.0, self._waiting[0][2] + self._limits.linger_seconds - now)

    def take(self, lanes: int = 1) -> list[T]:
        """The next batch, in order of arrival; empty when nothing waits.

        With several lanes it is one lane's share of what waits, so that the next lane to be free finds work too.
        """
        batch: list[T] = []
        tokens = 0
        waiting = self._waiting
        most_tokens = self._limits.tokens
        if lanes > 1:
            most_tokens = min(most_tokens // lanes, max(self._tokens // lanes, FEWEST_TOKENS))
        while waiting and len(batch) < self._limits.records:
            item, cost, _ = waiting[0]
            if batch and tokens + cost > most_tokens:
                break
            waiting.popleft()
            batch.append(item)
            tokens += cost
        self._tokens -= tokens
        return batch
