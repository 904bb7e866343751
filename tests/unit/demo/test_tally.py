"""The demo counts each record once, and its rate from the first comment sent to the last outcome."""

from typing import Any

from testkit.clock import FakeClock
from testkit.outcomes import letter, published
from worker.demo.tally import Tally


def test_a_repeated_delivery_is_counted_once() -> None:
    tally = Tally(FakeClock())
    outcomes: list[Any] = [
        published(0, 2),
        published(0, 0, "toxic"),
        letter(0, 1),
        published(1, 0),
    ]

    assert [tally.add(outcome) for outcome in [*outcomes, *outcomes]] == [True] * 4 + [False] * 4
    assert (tally.outcomes, tally.comments, tally.flagged, tally.dead_letters) == (4, 3, 1, 1)
    assert tally.labels == {"toxic": 1}


def test_the_rate_ends_with_the_last_outcome() -> None:
    clock = FakeClock()
    tally = Tally(clock)
    assert tally.rate == 0

    tally.start()
    clock.now += 2
    tally.add(published(0, 0))
    tally.add(published(0, 1))
    clock.now += 100

    assert (tally.seconds, tally.rate) == (2, 1)
