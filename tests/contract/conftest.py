"""The brokers that the contract suites run on: the embedded one and a real Kafka, each with both group protocols."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.kit.kafka import Kafka, kafka

__all__ = ["kafka"]

PARTITIONS = 4


@dataclass
class Backend:
    """One broker and the protocol its groups use."""

    bootstrap_servers: str
    protocol: str
    real: Kafka | None
    anchor: Producer | None = None
    properties: dict[str, Any] = field(default_factory=dict)

    def create_topic(self, name: str, config: dict[str, str] | None = None) -> str:
        """A topic of four partitions."""
        if self.real is not None:
            return self.real.create_topic(name, PARTITIONS, config)
        assert self.anchor is not None
        self.anchor.list_topics(name, timeout=30)  # the embedded broker makes what it is asked for
        return name


@pytest.fixture(scope="session")
def embedded() -> Producer:
    """librdkafka's mock cluster, in this process: what the embedded broker is made of."""
    return Producer({"test.mock.num.brokers": 1, "log_level": 0})


_EMBEDDED = {
    "classic": {"session.timeout.ms": 1500, "heartbeat.interval.ms": 100, "fetch.wait.max.ms": 20},
    "consumer": {"fetch.wait.max.ms": 20},
}
_REAL = {
    "classic": {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300},
    "consumer": {},
}


@pytest.fixture(
    params=[
        pytest.param(("embedded", "classic"), id="embedded-classic"),
        pytest.param(("embedded", "consumer"), id="embedded-kip848"),
        pytest.param(("real", "classic"), id="real-classic", marks=pytest.mark.kafka),
        pytest.param(("real", "consumer"), id="real-kip848", marks=pytest.mark.kafka),
    ]
)
def backend(request: pytest.FixtureRequest) -> Backend:
    kind, protocol = request.param
    if kind == "real":
        cluster: Kafka = request.getfixturevalue("kafka")
        return Backend(cluster.bootstrap_servers, protocol, cluster, properties=_REAL[protocol])
    anchor: Producer = request.getfixturevalue("embedded")
    servers = ",".join(f"{b.host}:{b.port}" for b in anchor.list_topics(timeout=30).brokers.values())
    return Backend(servers, protocol, None, anchor, properties=_EMBEDDED[protocol])


@pytest.fixture(params=["classic", "consumer"], ids=["real-classic", "real-kip848"])
def real_backend(request: pytest.FixtureRequest, kafka: Kafka) -> Backend:
    """For what the embedded broker does not do: transactions, limits of size, administration."""
    protocol: str = request.param
    return Backend(kafka.bootstrap_servers, protocol, kafka, properties=_REAL[protocol])


@pytest.fixture
def run_id() -> str:
    """Makes the topics and groups of one test its own."""
    return uuid.uuid4().hex[:8]
