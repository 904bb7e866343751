"""The sample is bounded whatever the rate, fair to every stretch of time, and forgets what is old."""

import random

import pytest

from worker.page.kept_event import KeptEvent
from worker.page.sample import SPANS, Sample
from worker.page.times import DAY_MS, HOUR_MS, MINUTE_MS

BEGIN_MS = 1_795_348_800_000


def event(number: int, at_ms: float, labels: tuple[str, ...] = ()) -> KeptEvent:
    return KeptEvent("comment-labels", 0, number, int(at_ms), number, labels=labels)


class Times:
    """The time, and a sample that lives in it."""

    def __init__(self, newest: int = 100) -> None:
        self.now_ms = float(BEGIN_MS)
        self.sample = Sample(newest, random.Random(1).randrange, lambda: self.now_ms)
        self.number = 0

    def come(self, count: int, passed_over: int = 0, labels: tuple[str, ...] = ()) -> None:
        events = [event(self.number + n, self.now_ms, labels) for n in range(count)]
        self.number += count
        self.sample.add(events, passed_over)


def test_two_days_of_any_rate_are_kept_within_the_limit() -> None:
    times = Times()
    for _ in range(2 * 24 * 60):
        times.come(200, passed_over=600_000)
        times.now_ms += MINUTE_MS
    counts = times.sample.counts()
    assert counts.kept <= times.sample.limit
    assert counts.seen == 2 * 24 * 60 * 600_200
    assert counts.read == 2 * 24 * 60 * 200
    assert times.sample.stood_for("1d") == pytest.approx(24 * 60 * 600_200, rel=0.02)
    assert times.sample.stood_for("1h") == pytest.approx(60 * 600_200, rel=0.02)


def test_what_is_older_than_a_span_is_forgotten() -> None:
    times = Times()
    times.come(10)
    for ago, spans in ((HOUR_MS / 2, {"1h", "1d"}), (2 * HOUR_MS, {"1d"}), (2 * DAY_MS, set())):
        times.now_ms = BEGIN_MS + ago
        assert {span for span in SPANS if times.sample.over(span)} == spans
    assert len(times.sample.newest()) == 10, "the newest stay"


def test_each_stretch_of_time_weighs_what_it_held() -> None:
    times = Times()
    times.come(2000, labels=("toxic",))
    times.now_ms += 2 * MINUTE_MS
    times.come(20)
    weighted = times.sample.over("1h")
    flagged = sum(one.weight for one in weighted if one.event.labels)
    assert flagged == pytest.approx(2000)
    assert sum(one.weight for one in weighted) == pytest.approx(2020)
    steps = times.sample.steps("15m")
    assert [(round(step.comments), round(step.flagged)) for step in steps] == [(2000, 2000), (20, 0)]


def test_a_reservoir_is_uniform_over_what_came() -> None:
    times = Times()
    for _ in range(50):
        times.come(100)
    offsets = [one.event.offset for one in times.sample.over("1h")]
    assert len(offsets) == SPANS["1h"].kept
    assert sum(offsets) / len(offsets) == pytest.approx(2500, rel=0.15)


def test_what_a_jump_left_out_is_stood_for_by_the_next_events() -> None:
    times = Times()
    times.come(0, passed_over=900)
    times.come(10, passed_over=90)
    assert times.sample.stood_for("15m") == 1000


def test_the_past_draws_no_towers() -> None:
    times = Times()
    times.sample.add_past([event(n, BEGIN_MS - 5 * MINUTE_MS + n) for n in range(60)], 5940)
    assert times.sample.steps("15m") == []
    assert times.sample.stood_for("15m") == 6000
    times.come(20)
    assert [(step.at_ms, step.comments) for step in times.sample.steps("15m")] == [(BEGIN_MS, 20)]


def test_the_past_is_sampled_and_is_not_the_newest() -> None:
    times = Times()
    times.come(1)
    times.sample.add_past([event(1000 + n, BEGIN_MS - 5 * HOUR_MS) for n in range(10)], 990)
    assert len(times.sample.newest()) == 1
    assert times.sample.stood_for("1d") == 1001
    assert len(times.sample.all_kept()) == 11
