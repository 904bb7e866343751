"""How many outcomes a second are shown: as many as a person can read, once the first screens are full."""

from worker.protocols import Clock


class Pace:
    """Takes the first outcomes, then some each second.

    Attributes:
        slowed: Whether outcomes are being left out.
    """

    ALL_OF_THE_FIRST = 120
    ROWS_A_SECOND = 3

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = 0
        self._next = 0.0
        self.slowed = False

    def takes(self) -> bool:
        """Whether the outcome that has just come is shown."""
        self._seen += 1
        now = self._clock()
        if self._seen > self.ALL_OF_THE_FIRST and now < self._next:
            self.slowed = True
            return False
        self._next = now + 1 / self.ROWS_A_SECOND
        return True
