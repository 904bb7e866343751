"""However a worker ends, every comment has its label, and a repeat has the same event id."""

import json
from collections import Counter

import pytest

from testkit.kafka import Kafka, eventually
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = pytest.mark.kafka

SMALL_BATCHES = {"batch.max_records": 50, "delivery.max_in_flight_records": 200}
PROGRESS_SECONDS = 120


def events_by_comment(topics: Topics) -> dict[str, list[str]]:
    """Event ids by comment id."""
    found: dict[str, list[str]] = {}
    for message in topics.read(topics.output):
        event = json.loads(message.value() or b"")
        found.setdefault(event["comment"]["id"], []).append(event["id"])
    return found


def assert_all_labelled(topics: Topics, count: int) -> int:
    """Check that every comment has one event or repeats of the same one, and return the number of repeats."""
    found = events_by_comment(topics)
    missing = {f"c-{number}" for number in range(count)} - found.keys()
    assert not missing, sorted(missing)[:10]
    assert len(found) == count
    assert all(len(set(ids)) == 1 for ids in found.values())
    return sum(len(ids) - 1 for ids in found.values())


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_after_three_kills_during_a_batch_every_comment_has_its_label(kafka: Kafka, protocol: str) -> None:
    topics = Topics(kafka)
    count = topics.fill(comments(2000))
    session = {} if protocol == "consumer" else {"kafka.properties": json.dumps({"session.timeout.ms": 6000})}
    settings = {**topics.settings, **SMALL_BATCHES, **session, "kafka.group_protocol": protocol}
    for _ in range(3):
        before = sum(topics.committed().values())
        with WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=0.1) as worker:
            assert eventually(lambda b=before: sum(topics.committed().values()) > b, PROGRESS_SECONDS)  # type: ignore[misc] # a default binds the loop's variable
            worker.kill()
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    repeats = assert_all_labelled(topics, count)
    assert repeats <= 3 * SMALL_BATCHES["delivery.max_in_flight_records"]


def test_sigterm_during_a_batch_drains_commits_and_repeats_nothing(kafka: Kafka) -> None:
    topics = Topics(kafka)
    count = topics.fill(comments(1000))
    settings = {**topics.settings, **SMALL_BATCHES}
    with WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=0.2) as worker:
        assert eventually(lambda: bool(topics.committed()), PROGRESS_SECONDS)
        assert worker.terminate() == 0
    published = len(topics.read(topics.output))
    assert 0 < published < count
    assert sum(topics.committed().values()) == published
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    assert assert_all_labelled(topics, count) == 0


def test_two_workers_share_a_topic_and_one_leaves(kafka: Kafka) -> None:
    topics = Topics(kafka)
    count = topics.fill(comments(4000))
    settings = {**topics.settings, **SMALL_BATCHES}
    with (
        WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=0.2) as first,
        WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=0.2) as second,
    ):
        for worker in (first, second):
            assert eventually(lambda w=worker: w.events("partitions assigned"), PROGRESS_SECONDS)  # type: ignore[misc] # a default binds the loop's variable
        assert eventually(lambda: len(topics.committed()) >= 2, PROGRESS_SECONDS)
        assert first.terminate() == 0
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert second.terminate() == 0
    assert assert_all_labelled(topics, count) == 0


def test_after_the_drain_deadline_the_worker_drops_its_work_and_says_so(kafka: Kafka) -> None:
    topics = Topics(kafka)
    topics.fill(comments(200))
    settings = {**topics.settings, **SMALL_BATCHES, "delivery.drain_seconds": 0.5}
    with WorkerProcess(kafka.bootstrap_servers, settings, slow_seconds=20) as worker:
        assert eventually(lambda: "scoring" in worker.log, PROGRESS_SECONDS)
        assert worker.terminate() == 4
        assert "None was committed" in worker.log
    assert not any(topics.committed().values()), "nothing but where the group starts is committed"
    assert topics.read(topics.output) == []


def test_a_worker_without_a_broker_ends_with_its_own_exit_code() -> None:
    with WorkerProcess("127.0.0.1:9", {"kafka.no_broker_seconds": 2}) as worker:
        assert worker.process.wait(PROGRESS_SECONDS) == 3
        assert "no broker" in worker.log


def test_mixed_input_becomes_labels_dead_letters_and_nothing_else(kafka: Kafka) -> None:
    topics = Topics(kafka)
    bad = [b"", b"not json", b'{"id":1.5,"text":"x"}', b'{"id":"1"}', None, b'{"id":"x","text":"makes-the-model-fail"}']
    topics.fill([*comments(100), *bad, *comments(100, start=100)])
    with WorkerProcess(kafka.bootstrap_servers, topics.settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
        assert "makes-the-model-fail" not in worker.log
    assert_all_labelled(topics, 200)
    letters = topics.read(topics.dead_letters)
    assert sorted(letter.value() or b"" for letter in letters) == sorted(value for value in bad if value is not None)
    errors = Counter(dict(letter.headers() or [])["__connect.errors.exception.class.name"] for letter in letters)
    assert errors == {b"InvalidJson": 2, b"IdNotAStringOrInteger": 1, b"TextMissing": 1, b"Poison": 1}
