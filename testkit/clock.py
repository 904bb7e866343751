"""A clock for tests: time passes only when a test, or code that sleeps, makes it pass."""


class FakeClock:
    """Stands in for `time.monotonic` (call it) and for `time.sleep` (`sleep`).

    Attributes:
        now: Seconds that the clock shows.
        slept: Seconds of each `sleep`.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
