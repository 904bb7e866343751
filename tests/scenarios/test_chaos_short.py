"""A short chaos run in each mode; `make chaos` runs longer."""

import asyncio

import pytest

from testkit.kafka import Kafka
from tests.chaos.plan import Fault
from tests.chaos.run import ChaosRun, Options

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

SECONDS = 40


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_under_faults_nothing_is_lost_and_nothing_duplicated_with_exactly_once(
    kafka_cluster: Kafka, guarantee: str
) -> None:
    options = Options(
        seconds=SECONDS,
        seed=7,
        events=None,
        faults=len(Fault),
        workers=2,
        guarantee=guarantee,
        protocol="classic",
    )
    report = asyncio.run(ChaosRun(kafka_cluster, options).run())
    print("\n".join(report.lines))
    assert report.failures == []
    assert len(report.stream) > 0
    assert sum(report.faults.values()) >= len(Fault) // 2, "too few faults happened to prove anything"
