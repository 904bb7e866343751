"""Another model takes over without leaving the group; each event is one model's, and nothing is lost on the way."""

import json
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from testkit.checkpoints import make_checkpoint
from testkit.child_process import ROOT, Child
from testkit.kafka import Kafka, eventually
from testkit.stream import Topics, comments
from testkit.workers import environment_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

PROGRESS_SECONDS = 200
LABELS = ("toxic", "insult")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints, and one that can't be loaded."""
    folder = tmp_path_factory.mktemp("models")
    make_checkpoint(folder / "first", labels=LABELS, seed=1)
    make_checkpoint(folder / "second", labels=LABELS, seed=2)
    (folder / "broken").mkdir()
    (folder / "broken" / "config.json").write_text("{}")
    return folder


def worker(kafka: Kafka, topics: Topics, config: Path, guarantee: str) -> Child:
    settings = {
        **topics.settings,
        "kafka.bootstrap_servers": kafka.bootstrap_servers,
        "log.format": "json",
        "delivery.guarantee": guarantee,
        "batch.max_records": 20,
    }
    environment = environment_of(settings) | {"PYTHONPATH": str(ROOT)}
    return Child([sys.executable, "-m", "worker", "run", "--config", str(config)], environment)


def choose(config: Path, folder: Path) -> None:
    config.write_text(f'[model]\nid = "{folder}"\n')


def change(child: Child, config: Path, folder: Path) -> None:
    choose(config, folder)
    child.process.send_signal(signal.SIGHUP)


def events(topics: Topics) -> list[dict[str, Any]]:
    return [json.loads(message.value() or b"") for message in topics.read(topics.output)]


def models(topics: Topics) -> Counter[str]:
    return Counter(Path(event["model"]["id"]).name for event in events(topics))


@pytest.mark.parametrize("guarantee", ["at-least-once", "exactly-once"])
def test_a_change_under_load_leaves_no_group_mixes_no_event_and_loses_nothing(
    kafka: Kafka, tmp_path: Path, folder: Path, guarantee: str
) -> None:
    topics, config = Topics(kafka), tmp_path / "sluice.toml"
    choose(config, folder / "first")
    sent = topics.fill(comments(300))
    with worker(kafka, topics, config, guarantee) as child:
        assert eventually(lambda: models(topics)["first"] > 0, PROGRESS_SECONDS)
        change(child, config, folder / "broken")
        assert eventually(lambda: "the model was not changed" in child.log, PROGRESS_SECONDS)
        change(child, config, folder / "second")
        deadline = time.monotonic() + PROGRESS_SECONDS
        while not models(topics)["second"]:  # a stream that does not stop for the change
            sent += topics.fill(comments(100, start=sent))
            assert time.monotonic() < deadline, child.log
        sent += topics.fill(comments(50, start=sent))
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert child.log.count("partitions assigned") == 1, "it has stayed in its group"
        assert child.log.count("the model changed from") == 1
        assert child.terminate() == 0
    found = events(topics)
    assert Counter(event["comment"]["id"] for event in found) == Counter(f"c-{n}" for n in range(sent))
    digests: dict[str, set[str]] = {}
    for event in found:
        digests.setdefault(Path(event["model"]["id"]).name, set()).add(event["model"]["digest"])
    assert digests.keys() == {"first", "second"}
    assert all(len(named) == 1 for named in digests.values())
    assert not digests["first"] & digests["second"]
    for partition in {event["source"]["partition"] for event in found}:
        of_partition = [event for event in found if event["source"]["partition"] == partition]
        in_order = [Path(e["model"]["id"]).name for e in sorted(of_partition, key=lambda e: int(e["source"]["offset"]))]
        assert in_order == sorted(in_order), "first, then second: no record of the old model behind one of the new"


@pytest.mark.parametrize(
    ("guarantee", "seconds"), [("exactly-once", 0.0), ("at-least-once", 1.0), ("exactly-once", 3.0)]
)
def test_a_worker_that_is_killed_in_a_change_loses_nothing(
    kafka: Kafka, tmp_path: Path, folder: Path, guarantee: str, seconds: float
) -> None:
    topics, config = Topics(kafka), tmp_path / "sluice.toml"
    choose(config, folder / "first")
    sent = topics.fill(comments(200))
    with worker(kafka, topics, config, guarantee) as child:
        assert eventually(lambda: models(topics)["first"] > 0, PROGRESS_SECONDS)
        change(child, config, folder / "second")
        killed_at = time.monotonic() + seconds
        while time.monotonic() < killed_at:
            sent += topics.fill(comments(20, start=sent))
        os.kill(child.process.pid, signal.SIGKILL)
        child.process.wait(PROGRESS_SECONDS)
    with worker(kafka, topics, config, guarantee) as child:
        assert eventually(
            lambda: '"event": "working"' in child.log, PROGRESS_SECONDS
        )  # there may be nothing left to do
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert child.terminate() == 0
    found = Counter(event["comment"]["id"] for event in events(topics))
    assert set(found) == {f"c-{n}" for n in range(sent)}
    assert guarantee == "at-least-once" or set(found.values()) == {1}
