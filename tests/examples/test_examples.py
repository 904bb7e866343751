"""The programs of `examples/` run, and their recipes speak of fields that events have."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from schemas import LabelEvent
from testkit.kafka import Kafka, kafka, kafka_home
from tests.docs.blocks import ROOT, blocks
from worker.kafka.embedded.broker import EmbeddedBroker

__all__ = ["kafka"]

EXAMPLES = ROOT / "examples"
EVENTS_TOPIC = "comment-labels"
END_SECONDS = 120


def event(number: int, *, flagged: bool) -> dict[str, Any]:
    """The event that the README shows, with an id of its own."""
    (text,) = (block.text for block in blocks(ROOT / "README.md") if block.language == "json")
    shown: dict[str, Any] = json.loads(text.replace("sha256:...", "sha256:" + "0f" * 32))
    changes = {
        "id": f"6fbc9706-c459-5c00-8778-{number:012}",
        "comment": {"id": f"c-{number}", "text": "..."},
        "flagged": flagged,
        "labels": ["toxic"] if flagged else [],
    }
    LabelEvent.model_validate(shown | changes)
    return shown | changes


def send(servers: str, events: Sequence[dict[str, Any]]) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for number, one in enumerate(events):
        producer.produce(EVENTS_TOPIC, json.dumps(one), f"key-{number}", headers=[("ce_id", one["id"].encode())])
    assert producer.flush(30) == 0


def run_example(*command: str | Path) -> str:
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=END_SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_event_in_the_readme_is_a_label_event() -> None:
    assert event(1, flagged=True)["labels"] == ["toxic"]


def test_a_reader_has_each_event_once_however_often_it_was_published() -> None:
    first, second, third = (event(number, flagged=True) for number in (1, 2, 3))
    with EmbeddedBroker({EVENTS_TOPIC: 1}) as broker:
        send(broker.bootstrap_servers, [first, second, first, second, third])
        printed = run_example(
            sys.executable,
            EXAMPLES / "consume_labels.py",
            "--bootstrap-servers",
            broker.bootstrap_servers,
            "--count",
            "3",
        )
    assert [line.split()[1] for line in printed.splitlines()] == ["c-1", "c-2", "c-3"]


def test_the_filter_copies_flagged_events_alone_with_key_and_headers() -> None:
    events = [event(number, flagged=number % 2 == 0) for number in range(4)]
    with EmbeddedBroker({EVENTS_TOPIC: 1, "flagged-comments": 1}) as broker:
        send(broker.bootstrap_servers, events)
        program = EXAMPLES / "filter" / "flagged.py"
        run_example(sys.executable, program, "--bootstrap-servers", broker.bootstrap_servers, "--count", "4")
        consumer = Consumer(
            {"bootstrap.servers": broker.bootstrap_servers, "group.id": "test", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe(["flagged-comments"])
        copied = consumer.consume(2, timeout=30)
        consumer.close()
    assert [(message.key(), json.loads(message.value() or b"")) for message in copied] == [
        (b"key-0", events[0]),
        (b"key-2", events[2]),
    ]
    assert [message.headers() for message in copied] == [[("ce_id", one["id"].encode())] for one in events[::2]]


def test_the_columns_of_the_ksqldb_recipe_are_fields_of_the_event() -> None:
    text = (EXAMPLES / "filter" / "flagged.sql").read_text(encoding="utf-8")
    found = re.search(r"\((.*?)\) WITH \(KAFKA_TOPIC = '(.*?)'", text, re.DOTALL)
    assert found
    properties = LabelEvent.model_json_schema()["properties"]
    types = {"VARCHAR": "string", "BOOLEAN": "boolean", "ARRAY": "array", "STRUCT": "object", "MAP": "object"}
    columns = re.findall(r"^  (\w+) ([A-Z]+)", found[1], re.MULTILINE)
    assert columns
    assert [(name, properties[name]["type"]) for name, _ in columns] == [(name, types[kind]) for name, kind in columns]
    assert found[2] == EVENTS_TOPIC


@pytest.mark.kafka
def test_kafka_connect_writes_events_to_a_file_without_the_tombstones(kafka: Kafka, tmp_path: Path) -> None:
    events = [event(number, flagged=True) for number in range(3)]
    kafka.create_topic(EVENTS_TOPIC)
    send(kafka.bootstrap_servers, events)
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})
    producer.produce(EVENTS_TOPIC, None, "key-9")
    assert producer.flush(30) == 0
    worker = tmp_path / "connect-standalone.properties"
    worker.write_text(
        f"bootstrap.servers={kafka.bootstrap_servers}\n"
        f"plugin.path={kafka_home() / 'libs'}\n"
        f"offset.storage.file.filename={tmp_path / 'offsets'}\n"
        "key.converter=org.apache.kafka.connect.converters.ByteArrayConverter\n"
        "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
        "consumer.auto.offset.reset=earliest\n"
        "listeners=http://127.0.0.1:0\n",
        encoding="utf-8",
    )
    program = kafka_home() / "bin" / "connect-standalone.sh"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, worker, EXAMPLES / "filter" / "connect-sink.properties"],
            cwd=tmp_path,
            env={**os.environ, "LOG_DIR": str(tmp_path / "logs"), "KAFKA_HEAP_OPTS": "-Xmx256m"},
            stdout=log,
            stderr=log,
        )
    written = tmp_path / "label-events.jsonl"
    deadline = time.monotonic() + END_SECONDS
    try:
        while time.monotonic() < deadline and process.poll() is None:
            if written.exists() and written.read_text(encoding="utf-8").count("\n") >= len(events):
                break
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(60)
    found = [json.loads(line) for line in written.read_text(encoding="utf-8").splitlines()]
    assert sorted(one["id"] for one in found) == [one["id"] for one in events], (tmp_path / "log").read_text()[-3000:]


@pytest.mark.docs
def test_the_quality_check_measures_chooses_and_measures_again() -> None:
    printed = run_example(EXAMPLES / "quality" / "check.sh", EXAMPLES / "quality" / "labelled.csv")
    assert "thresholds default@1, 12 texts" in printed
    assert "thresholds checked@1, 12 texts" in printed


@pytest.mark.docs
def test_a_checkpoint_made_by_the_example_is_one_that_sluice_takes(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    program = EXAMPLES / "own_model" / "own_model.py"
    first = run_example(sys.executable, program, folder)
    assert first.endswith(" mine@1\n")
    assert run_example(sys.executable, program, folder) == first
