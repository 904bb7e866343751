"""What is said of a group that waits long for a worker that died."""

import pytest

from worker.kafka.group_needs import long_session

COMMAND = "--entity-name g --add-config consumer.session.timeout.ms=12000,consumer.heartbeat.interval.ms=3000"
LEAST = {"group.consumer.min.session.timeout.ms": "45000", "group.consumer.min.heartbeat.interval.ms": "5000"}
LOW = {"group.consumer.min.session.timeout.ms": "6000", "group.consumer.min.heartbeat.interval.ms": "1000"}


@pytest.mark.parametrize(
    "config", [{}, {"consumer.session.timeout.ms": "12000"}, {"consumer.session.timeout.ms": "15000"}]
)
def test_a_short_or_unknown_session_is_no_difference(config: dict[str, str]) -> None:
    assert list(long_session("g", config, LEAST)) == []


@pytest.mark.parametrize(
    ("broker", "first"),
    [
        (
            LEAST,
            "First group.consumer.min.session.timeout.ms=12000 and group.consumer.min.heartbeat.interval.ms=3000 in",
        ),
        (LOW, "(consumer.session.timeout.ms = 45000). kafka-configs"),
        ({}, "Where the brokers' group.consumer.min.session.timeout.ms allows it, kafka-configs"),
    ],
)
def test_a_long_session_comes_with_what_shortens_it_on_these_brokers(broker: dict[str, str], first: str) -> None:
    (said,) = long_session("g", {"consumer.session.timeout.ms": "45000"}, broker)
    assert "killed after 45 s" in said
    assert first in said
    assert COMMAND in said
