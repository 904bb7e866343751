"""A worker says once that it waits for a broker, why and for how long, and once that one responds again."""

import pytest
from confluent_kafka import KafkaError

from testkit.clock import FakeClock
from worker.errors import NoBroker
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.settings import KafkaSettings

ONE = KafkaError(KafkaError._TRANSPORT, "b1:9092: Connection refused")
ALL = KafkaError(KafkaError._ALL_BROKERS_DOWN, "2/2 brokers are down")
WAITING = "waiting for a broker at b1:9092,b2:9092, 60 s at most (_TRANSPORT: b1:9092: Connection refused)"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def brokers(clock: FakeClock) -> BrokerAvailability:
    return BrokerAvailability(KafkaSettings(bootstrap_servers="b1:9092,b2:9092", no_broker_seconds=60), clock)


def test_at_the_start_the_first_failure_is_the_reason(
    brokers: BrokerAvailability, caplog: pytest.LogCaptureFixture
) -> None:
    brokers.start()
    for error in (ONE, ONE, ALL, ONE):
        brokers.connection_failed(error)
    assert caplog.messages == [WAITING]


def test_while_it_works_one_failure_is_told_apart_from_the_last_brokers(
    brokers: BrokerAvailability, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    brokers.answered()
    for error in (ONE, ONE, ALL, ONE, ALL):
        brokers.connection_failed(error)
    brokers.answered()
    first, waiting, again = caplog.messages
    assert first == "connection to a broker failed: _TRANSPORT: b1:9092: Connection refused"
    assert waiting == WAITING
    assert again == "a broker is responding again"


def test_the_limit_runs_from_the_last_brokers_end_and_ends_with_the_reason(
    brokers: BrokerAvailability, clock: FakeClock
) -> None:
    brokers.answered()
    brokers.connection_failed(ONE)
    clock.advance(1000)
    brokers.check()
    brokers.connection_failed(ALL)
    clock.advance(59.9)
    brokers.check()
    clock.advance(0.1)
    with pytest.raises(NoBroker, match="2/2 brokers are down"):
        brokers.check()
