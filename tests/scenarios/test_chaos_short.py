"""Short chaos runs; `make chaos` runs longer."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from testkit.kafka import kafka_home
from tests.chaos.audit import ModelRun, audit
from tests.chaos.cluster import Cluster
from tests.chaos.plan import KINDS, Fault
from tests.chaos.run import ChaosRun, Options
from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

EVENTS = 10_000
"""The stream waits for its faults, so a run takes as long as they do."""
MOST_SECONDS = 200
# Those that take seconds, not the better part of a minute; a long run has them all.
SHORT_CLUSTER_FAULTS = (
    Fault.CHANGE_MODEL,
    Fault.ADD_PARTITION,
    Fault.RECREATE_TOPIC,
    Fault.CUT_RETENTION,
    Fault.LOWER_LIMIT,
    Fault.WITHDRAW_RIGHT,
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(kafka_home()) as cluster:
        yield cluster


@pytest.mark.parametrize(
    ("guarantee", "kinds"),
    [("exactly-once", KINDS["classic"]), ("at-least-once", SHORT_CLUSTER_FAULTS)],
    ids=["exactly-once-classic", "at-least-once-cluster"],
)
def test_under_faults_every_loss_and_repeat_is_explained_and_nothing_is_duplicated_with_exactly_once(
    cluster: Cluster, guarantee: str, kinds: tuple[Fault, ...]
) -> None:
    options = Options(
        seconds=MOST_SECONDS,
        seed=7,
        events=EVENTS,
        faults=len(kinds),
        kinds=kinds,
        workers=2,
        guarantee=guarantee,
        protocol="classic",
    )
    report = asyncio.run(ChaosRun(cluster, options).run())
    print("\n".join(report.lines))
    assert report.failures == []
    assert len(report.stream) > 0
    assert sum(report.faults.values()) >= len(kinds) // 2, "too few faults happened to prove anything"


def test_what_workers_publish_under_faults_is_what_the_model_says_of_each_text(cluster: Cluster) -> None:
    texts = [comment.text for comment in read_comments(SAMPLE_COMMENTS)] * 2
    run = ModelRun(cluster, "exactly-once", faults=4, seed=6)
    asyncio.run(run.label([json.dumps({"id": n, "text": text}).encode() for n, text in enumerate(texts)]))
    assert run.injector.done, "no fault happened"
    code, summary = audit(cluster, run.topics)
    assert (code, summary["audited"], summary["differing"]) == (0, len(texts), 0), summary
