"""The brokers that the contract suites run on: the embedded one and a real Kafka, each with both group protocols."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from testkit.kafka import Kafka, kafka
from tests.contract.backend import Backend
from tests.contract.group import Group
from worker.kafka.embedded.broker import EmbeddedBroker, embedded_properties
from worker.settings import GroupProtocol

__all__ = ["kafka"]


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    """The embedded broker, shared by the whole run."""
    with EmbeddedBroker(topics={}) as broker:
        yield broker


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
    broker: EmbeddedBroker = request.getfixturevalue("embedded")
    return Backend(broker.bootstrap_servers, protocol, None, embedded_properties(GroupProtocol(protocol)))


@pytest.fixture(params=["classic", "consumer"], ids=["real-classic", "real-kip848"])
def real_backend(request: pytest.FixtureRequest, kafka: Kafka) -> Backend:
    """A real Kafka, for what the embedded broker does not have: transactions, size limits, administration."""
    protocol: str = request.param
    return Backend(kafka.bootstrap_servers, protocol, kafka, properties=_REAL[protocol])


@pytest.fixture
def run_id() -> str:
    """A name that keeps the topics and groups of one test apart from all others."""
    return uuid.uuid4().hex[:8]


@pytest.fixture
def group(backend: Backend, run_id: str) -> Iterator[Group]:
    """Topics and a group for this test alone; its members are closed at the end."""
    made = Group(backend, run_id)
    yield made
    made.close()


@pytest.fixture
def real_group(real_backend: Backend, run_id: str) -> Iterator[Group]:
    """The same, on the real Kafka only."""
    made = Group(real_backend, run_id)
    yield made
    made.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect transactions on the embedded broker, which has none: a skip would look like a test that could run."""
    impossible = [i for i in items if i.get_closest_marker("transactions") and _runs_embedded(i)]
    config.hook.pytest_deselected(items=impossible)
    items[:] = [i for i in items if i not in impossible]


def _runs_embedded(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    backend: Any = item.callspec.params.get("backend", ("none",))
    return bool(backend[0] == "embedded")
