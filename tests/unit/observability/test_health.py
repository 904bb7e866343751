import pytest

from testkit.clock import FakeClock
from worker.observability.health import Health, HealthLimits

LIMITS = HealthLimits(tick_seconds=10, inference_seconds=100, progress_seconds=200, rebalance_seconds=300)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(clock, LIMITS)


@pytest.fixture
def running(health: Health) -> Health:
    health.model_loaded()
    health.joined()
    health.broker_seen()
    health.tick()
    return health


def test_a_starting_worker_is_alive_but_not_ready_and_says_what_is_missing(health: Health, clock: FakeClock) -> None:
    clock.advance(3600)
    assert health.live().ok
    verdict = health.ready()
    assert not verdict.ok
    assert [word for word in ("model", "member", "broker") if any(word in reason for reason in verdict.reasons)] == [
        "model",
        "member",
        "broker",
    ]


def test_a_running_worker_is_alive_and_ready(running: Health) -> None:
    assert running.live().reasons == ()
    assert running.ready().ok


def test_an_idle_worker_without_partitions_stays_ready(running: Health, clock: FakeClock) -> None:
    running.in_flight(0)
    running.lag(0)
    clock.advance(86_400)
    running.tick()
    assert running.ready().ok


def test_a_loop_that_stopped_turning_is_dead(running: Health, clock: FakeClock) -> None:
    clock.advance(10)
    assert running.live().ok
    clock.advance(1)
    assert "the loop has not turned for 11 s (limit 10 s)" in running.live().reasons
    assert not running.ready().ok
    running.tick()
    assert running.live().ok


def test_a_batch_that_never_leaves_the_model_is_dead(running: Health, clock: FakeClock) -> None:
    running.inference_started(1)
    clock.advance(100)
    running.inference_started(2)
    clock.advance(1)
    running.tick()
    assert not running.live().ok
    running.inference_finished(1)
    assert running.live().ok


def test_records_in_flight_without_a_commit_are_dead(running: Health, clock: FakeClock) -> None:
    running.in_flight(5)
    clock.advance(150)
    running.tick()
    running.in_flight(7)
    clock.advance(51)
    running.tick()
    assert any("in flight but no offset was committed" in reason for reason in running.live().reasons)


def test_each_commit_gives_the_work_at_hand_a_new_term(running: Health, clock: FakeClock) -> None:
    running.in_flight(5)
    for _ in range(5):
        clock.advance(150)
        running.tick()
        running.progressed()
        running.in_flight(5)
    assert running.live().ok


def test_a_growing_lag_without_a_commit_is_dead(running: Health, clock: FakeClock) -> None:
    running.lag(10)
    running.lag(11)
    clock.advance(201)
    running.tick()
    running.lag(500)
    assert any("lag grows" in reason for reason in running.live().reasons)


def test_a_lag_that_stands_still_is_an_idle_topic_behind_transaction_markers(running: Health, clock: FakeClock) -> None:
    running.lag(1)
    for _ in range(10):
        clock.advance(100)
        running.tick()
        running.lag(1)
    assert running.live().ok


def test_a_worker_that_catches_up_is_alive(running: Health, clock: FakeClock) -> None:
    for lag in (1000, 1200, 900, 1100, 800, 1000, 700):
        running.lag(lag)
        running.progressed()
        clock.advance(150)
        running.tick()
    assert running.live().ok


@pytest.mark.parametrize("state", ["wait-join", "wait-sync", "wait-unassign-to-complete"])
def test_a_rebalance_that_never_ends_is_dead(running: Health, clock: FakeClock, state: str) -> None:
    running.join_state(state)
    clock.advance(200)
    running.tick()
    running.join_state(state)
    clock.advance(101)
    running.tick()
    assert any(state in reason for reason in running.live().reasons)
    running.join_state("steady")
    assert running.live().ok


def test_waiting_to_join_a_group_is_not_a_rebalance(running: Health, clock: FakeClock) -> None:
    running.join_state("init")
    clock.advance(10_000)
    running.tick()
    assert running.live().ok


def test_a_fatal_fault_is_neither_alive_nor_ready(running: Health) -> None:
    running.failed("fenced by another producer")
    assert running.live().reasons == ("fatal: fenced by another producer",)
    assert not running.ready().ok


def test_draining_breaker_and_lost_brokers_are_alive_but_not_ready(running: Health) -> None:
    running.draining()
    running.breaker_opened("1000 records in a row")
    running.broker_lost()
    assert running.live().ok
    assert running.ready().reasons == (
        "no broker answers",
        "dead letter breaker open: 1000 records in a row",
        "draining for shutdown",
    )


@pytest.mark.parametrize(
    ("properties", "rebalance_seconds", "progress_seconds"),
    [
        ({}, 600, 600),
        ({"max.poll.interval.ms": 1_800_000}, 3600, 3600),
        ({"max.poll.interval.ms": "120000"}, 240, 600),
        ({"max.poll.interval.ms": "soon"}, 600, 600),
    ],
)
def test_limits_follow_the_poll_interval_that_the_user_gave(
    properties: dict[str, object], rebalance_seconds: float, progress_seconds: float
) -> None:
    limits = HealthLimits.of(properties)
    assert (limits.rebalance_seconds, limits.progress_seconds) == (rebalance_seconds, progress_seconds)
