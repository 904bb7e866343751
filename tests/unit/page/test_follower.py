"""A topic that can't be followed is reported when it begins, and not again each time it is tried."""

import threading
from collections.abc import Iterator, Mapping
from itertools import chain, count

import pytest
from structlog.testing import capture_logs

from worker.errors import NoBroker
from worker.page import follower as follower_module
from worker.page.follower import Follower
from worker.page.tail import Tail


def causes() -> Iterator[str]:
    """What the client says of a broker that is away, and then of another trouble."""
    away = (f"no broker answered within 5.{number} s; {number} attempts" for number in range(5))
    return chain(away, ("the topic may not be read" for _ in count()))


def test_a_cause_that_differs_by_its_counts_alone_is_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "_AGAIN_SECONDS", 0.001)
    said, tried, enough = causes(), count(1), threading.Event()

    def fails(_: Mapping[int, int]) -> Tail:
        if next(tried) > 8:
            enough.set()
        raise NoBroker(next(said))

    follower = Follower("comments", fails, lambda _: None)
    with capture_logs() as logs:
        follower.start()
        assert enough.wait(30)
        follower.stop()
    assert [line["cause"] for line in logs] == [
        "no broker answered within 5.0 s; 0 attempts",
        "the topic may not be read",
    ]
