"""`sluice audit` reads what is in the output topic, every partition of it, to its end, over the real protocol."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from testkit.checkpoints import SENTENCES, make_checkpoint
from tests.unit.audit.events import changed, published_by
from worker.__main__ import main
from worker.classifier import Classifier
from worker.errors import AuditFailed
from worker.kafka.embedded.broker import EmbeddedBroker

DEADLINE_SECONDS = 60.0


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker({"comments": 1, "comment-labels": 2}) as running:
        yield running


def publish(broker: EmbeddedBroker, *values: bytes | None) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for number, value in enumerate(values):
        producer.produce("comment-labels", value, key=b"k", partition=number % 2)
    assert producer.flush(DEADLINE_SECONDS) == 0


def test_every_event_of_the_topic_is_audited_and_what_is_none_is_counted(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = make_checkpoint(tmp_path / "bert", "bert")
    events = published_by(Classifier.load(str(folder), precision="float32"), list(SENTENCES))
    command = ["audit", "--model", str(folder), "--json", "--bootstrap-servers", broker.bootstrap_servers]

    publish(broker, *events, None, b"no event")
    assert main(command) == 0
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["events"], summary["audited"]) == (len(events) + 2, len(events))
    assert summary["unaudited"] == {"deletion": 1, "not-an-event": 1}

    moved = changed(events[0], scores=dict.fromkeys(json.loads(events[0])["scores"], 0.0))
    publish(broker, moved)
    assert main(command) == AuditFailed.exit_code
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]["differing"] == 1


def test_an_empty_topic_is_no_fault_and_neither_are_deletions_alone(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["audit", "--json", "--bootstrap-servers", broker.bootstrap_servers]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["events"] == 0
    publish(broker, None)
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["unaudited"] == {"deletion": 1}
    publish(broker, b"no event")
    assert main(command) == AuditFailed.exit_code
