"""A candidate is compared with the model in use on a real stream, and no event knows of it."""

import json
import os
import signal
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from prometheus_client.parser import text_string_to_metric_families

from schemas import LabelEvent, ShadowExample
from testkit.checkpoints import SENTENCES, make_checkpoint
from testkit.child_process import ROOT, Child
from testkit.kafka import eventually, free_ports
from testkit.topic_reader import read_to_end
from testkit.workers import environment_of
from worker.classifier import Classifier
from worker.kafka.embedded.broker import EmbeddedBroker, embedded_properties
from worker.settings import GroupProtocol
from worker.types import Classification

pytestmark = pytest.mark.timeout(900)

PROGRESS_SECONDS = 280
LABELS = ("toxic", "insult")
COMMENTS = 60
TOPICS = ("comments", "labels", "dead", "examples")

Sample = tuple[str, frozenset[tuple[str, str]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_checkpoint(folder / "first", labels=LABELS, seed=1)
    make_checkpoint(folder / "second", labels=LABELS, seed=2)
    make_checkpoint(folder / "candidate", labels=("toxicity", "insult"), seed=3)
    return folder


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(dict.fromkeys(TOPICS, 2)) as broker:
        yield broker


def texts(count: int) -> list[str]:
    return [f"{SENTENCES[number % len(SENTENCES)]} {number}" for number in range(count)]


def produce(broker: EmbeddedBroker, values: Sequence[bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for number, value in enumerate(values):
        producer.produce("comments", value, str(number))
    assert producer.flush(60) == 0


def comments(first: int, some: Sequence[str]) -> list[bytes]:
    return [json.dumps({"id": f"c-{first + number}", "text": text}).encode() for number, text in enumerate(some)]


class Metrics:
    """The shadow's series of a worker."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"

    def read(self) -> dict[Sample, float]:
        try:
            with urllib.request.urlopen(self._url, timeout=30) as answer:  # noqa: S310 - http, as written above
                text = answer.read().decode()
        except OSError:
            return {}
        return {
            (sample.name.removeprefix("sluice_shadow_"), frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            if family.name.startswith("sluice_shadow_")
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        return sum(
            value
            for (found, its), value in self.read().items()
            if found == name and labels.items() <= dict(its).items()
        )


def expected_flags(first: Sequence[Classification], second: Sequence[Classification]) -> dict[tuple[str, str], int]:
    """Flags by label and by whom, as both models in this process give them."""
    flags: Counter[tuple[str, str]] = Counter()
    for incumbent, candidate in zip(first, second, strict=True):
        theirs = {"toxic" if label == "toxicity" else label for label in candidate.labels}
        for label in {*incumbent.labels, *theirs}:
            both = label in incumbent.labels and label in theirs
            flags[label, "both" if both else "incumbent" if label in incumbent.labels else "candidate"] += 1
    return dict(flags)


def classified(folder: Path, some: Sequence[str]) -> list[Classification]:
    return Classifier.load(str(folder), precision="float32", threads=1).classify(some)


def settings(broker: EmbeddedBroker, port: int, **more: object) -> dict[str, object]:
    return {
        "kafka.bootstrap_servers": broker.bootstrap_servers,
        "kafka.properties": json.dumps(embedded_properties(GroupProtocol.CLASSIC)),
        "input.topic": "comments",
        "output.topic": "labels",
        "dead_letters.topic": "dead",
        "model.precision": "float32",
        "model.threads": 1,
        "log.format": "json",
        "http.port": port,
        **more,
    }


def worker(config: Path, environment: dict[str, object]) -> Child:
    command = [sys.executable, "-m", "worker", "run", "--config", str(config)]
    return Child(command, environment_of(environment) | {"PYTHONPATH": str(ROOT)})


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def runs(pid: int) -> bool:
    """Whether a process runs; one that has ended may still wait for whoever adopted it to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the candidate in /proc")
def test_a_stream_is_compared_without_a_trace_in_its_events(
    broker: EmbeddedBroker, folder: Path, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    config = tmp_path / "sluice.toml"
    config.write_text(f'[model]\nid = "{folder / "first"}"\n')
    shadow = {
        "shadow.model.id": folder / "candidate",
        "shadow.sample": 1,
        "shadow.busy_share": 1,
        "shadow.labels": '{"toxicity": "toxic"}',
        "shadow.examples_topic": "examples",
        "shadow.examples": "all",
    }
    metrics = Metrics(port)
    some = texts(COMMENTS)
    with worker(config, settings(broker, port, **shadow)) as child:
        assert eventually(lambda: metrics.value("up") == 1, PROGRESS_SECONDS), child.log
        produce(broker, [*comments(0, some), None, b"no JSON"])
        assert eventually(lambda: metrics.value("compared_total") == COMMENTS, PROGRESS_SECONDS), metrics.read()
        assert metrics.value("sampled_total") == COMMENTS, "no deletion and no dead letter"
        flags = {
            (labels["label"], labels["by"]): int(value)
            for (name, its), value in metrics.read().items()
            if name == "flagged_total" and (labels := dict(its))["tier"] == "review" and value
        }

        config.write_text(f'[model]\nid = "{folder / "second"}"\n')
        child.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "the model changed from" in child.log, PROGRESS_SECONDS), child.log
        produce(broker, comments(COMMENTS, some))
        assert eventually(lambda: metrics.value("compared_total") == 2 * COMMENTS, PROGRESS_SECONDS), metrics.read()
        by_incumbent = {
            dict(its)["incumbent"]: value for (name, its), value in metrics.read().items() if name == "compared_total"
        }
        assert eventually(lambda: metrics.value("examples_total", result="sent") == 2 * COMMENTS, PROGRESS_SECONDS)
        (candidate,) = children_of(child.process.pid)
        assert child.terminate() == 0
        assert eventually(lambda: not runs(candidate)), "it ends with the worker"
        assert not any(text in child.log for text in SENTENCES)

    first, second, other = (classified(folder / name, some) for name in ("first", "second", "candidate"))
    assert flags == expected_flags(first, other)
    assert sorted(by_incumbent.values()) == [COMMENTS, COMMENTS]

    events = [LabelEvent.model_validate_json(m.value() or b"") for m in read_to_end(broker.bootstrap_servers, "labels")]
    assert len(events) == 2 * COMMENTS
    by_id = {event.comment["id"]: event for event in events}
    for number, found in enumerate([*first, *second]):
        assert list(by_id[f"c-{number}"].scores.values()) == pytest.approx(list(found.scores.values()), abs=2e-6)
        assert by_id[f"c-{number}"].labels == list(found.labels)

    values = [m.value() or b"" for m in read_to_end(broker.bootstrap_servers, "examples")]
    assert not any(text.encode() in value for value in values for text in SENTENCES)
    examples = [ShadowExample.model_validate_json(value) for value in values]
    assert {one.event_id for one in examples} == {event.id for event in events}
    for one in examples:
        event = by_id[one.comment_id]
        assert one.incumbent.scores == event.scores
        assert one.incumbent.tiers == event.tiers
        assert one.incumbent.model.digest == event.model.digest
        assert one.incumbent.model.digest[7:19] in {name.partition("/")[0] for name in by_incumbent}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the candidate in /proc")
def test_whatever_happens_to_the_candidate_events_go_on(broker: EmbeddedBroker, folder: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    config = tmp_path / "sluice.toml"
    config.write_text(f'[model]\nid = "{folder / "first"}"\n')
    metrics = Metrics(port)

    def events() -> list[Any]:
        return read_to_end(broker.bootstrap_servers, "labels")

    shadow: dict[str, object] = {"shadow.model.id": folder / "candidate", "shadow.sample": 1}
    with worker(config, settings(broker, port, **shadow)) as child:
        assert eventually(lambda: metrics.value("up") == 1, PROGRESS_SECONDS), child.log
        (candidate,) = children_of(child.process.pid)
        os.kill(candidate, signal.SIGKILL)
        produce(broker, comments(0, texts(20)))
        assert eventually(lambda: len(events()) == 20, PROGRESS_SECONDS), child.log
        assert eventually(lambda: metrics.value("failures_total", reason="crash") == 1, PROGRESS_SECONDS), child.log
        assert child.terminate() == 0

    with worker(config, settings(broker, port, **{"shadow.model.id": tmp_path})) as child:
        produce(broker, comments(20, texts(20)))
        assert eventually(lambda: len(events()) == 40, PROGRESS_SECONDS), child.log
        assert eventually(lambda: metrics.value("failures_total", reason="load") == 1, PROGRESS_SECONDS), child.log
        assert child.log.count("the candidate cannot be loaded") == 1
        assert child.terminate() == 0
