"""The comments that wait for the candidate: bounded, and never waited for by whoever adds to them."""

import threading
from collections import deque
from collections.abc import Sequence

from worker.shadow.sampled import Sampled

_TEXTS_AT_ONCE = 8
_CHARACTERS_AT_ONCE = 2_000
"""What the candidate is given at once: a tenth of a second or so of one core, for which it may overlap with records
that have just arrived."""

_CHARACTERS_WAITING = 4_000_000
"""Characters of all texts that wait: at most 16 MB, however long a comment may be."""


class Waiting:
    """A queue from the poll thread to the shadow's.

    Args:
        limit: Comments that it holds.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._texts: deque[Sampled] = deque()
        self._characters = 0
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def add(self, sampled: Sequence[Sampled]) -> int:
        """Add those that there is room for; return how many there was none for: once it is closed, for none."""
        with self._changed:
            if self._closed:
                return len(sampled)
            for number, one in enumerate(sampled):
                if len(self._texts) >= self._limit or self._characters >= _CHARACTERS_WAITING:
                    return len(sampled) - number
                self._texts.append(one)
                self._characters += len(one.text)
            self._changed.notify()
        return 0

    def wait(self, seconds: float) -> bool:
        """Wait until there is something, at most so long; False once it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts or self._closed, seconds)
        return not self._closed

    def pause(self, seconds: float) -> bool:
        """Wait for so long, or until it is closed: then False."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)
        return not self._closed

    def take(self) -> list[Sampled]:
        """The oldest ones, as many as are scored at once."""
        taken: list[Sampled] = []
        characters = 0
        with self._changed:
            while self._texts and len(taken) < _TEXTS_AT_ONCE:
                characters += len(self._texts[0].text)
                if taken and characters > _CHARACTERS_AT_ONCE:
                    break
                taken.append(self._texts.popleft())
            self._characters -= sum(len(one.text) for one in taken)
        return taken

    def drain(self) -> int:
        """Forget what is left, for good; return how many comments that were."""
        self.close()
        with self._changed:
            left = len(self._texts)
            self._texts.clear()
            self._characters = 0
        return left

    def close(self) -> None:
        """End every wait, and take no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
