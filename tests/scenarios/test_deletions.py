"""A deleted comment leaves nothing in a compacted output topic, and its deletion is committed only once it is there."""

import json
import subprocess
import sys
import urllib.request

import pytest

from testkit.child_process import ROOT
from testkit.kafka import Kafka, eventually, free_ports
from testkit.stream import Topics, comments
from testkit.workers import WorkerProcess

pytestmark = pytest.mark.kafka

PROGRESS_SECONDS = 120
FORWARDED = 'sluice_records_processed_total{outcome="forwarded"} 2.0'


def latest(topics: Topics) -> dict[bytes, str | None]:
    """What a reader that keeps the last record of each key has of it: the text of its comment, None when deleted."""
    found: dict[bytes, str | None] = {}
    for record in topics.read(topics.output):
        value = record.value()
        found[record.key() or b""] = None if value is None else json.loads(value)["comment"]["text"]
    return found


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_a_compacted_output_topic_keeps_the_latest_labels_of_each_comment_and_none_of_a_deleted_one(
    kafka: Kafka, guarantee: str
) -> None:
    topics = Topics(kafka, 2, **{"cleanup.policy": "compact"})
    (port,) = free_ports(1)
    settings = {**topics.settings, "delivery.guarantee": guarantee, "http.port": port, "http.host": "127.0.0.1"}
    topics.fill(comments(4))
    topics.fill([b'{"id":"c-0","text":"edited"}', None, None])  # keys 0, 1 and 2 again
    with WorkerProcess(kafka.bootstrap_servers, settings) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert FORWARDED in answer.read().decode()
        assert worker.terminate() == 0
    found = latest(topics)
    assert (found[b"0"], found[b"1"], found[b"2"]) == ("edited", None, None)
    assert found[b"3"] is not None
    assert topics.read(topics.dead_letters) == []
    example = ["examples/latest_labels.py", "--bootstrap-servers", kafka.bootstrap_servers, "--topic", topics.output]
    shown = subprocess.run([sys.executable, *example], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[:2] for line in shown.stdout.splitlines()] == [["0", "none"], ["3", "none"]]


@pytest.mark.parametrize(("mode", "expected"), [("auto", 2), ("forward", 3)])
def test_a_topic_that_is_not_compacted_gets_no_tombstones_unless_a_setting_asks_for_them(
    kafka: Kafka, mode: str, expected: int
) -> None:
    topics = Topics(kafka, 1)
    topics.fill([*comments(2), None])
    with WorkerProcess(kafka.bootstrap_servers, {**topics.settings, "output.tombstones": mode}) as worker:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert worker.terminate() == 0
    assert len(topics.read(topics.output)) == expected
