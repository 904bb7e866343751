"""The programs of `examples/` run, and their recipes speak of fields that events have."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from schemas import LabelEvent
from tests.docs.blocks import ROOT, blocks
from worker.kafka.embedded.broker import EmbeddedBroker
from worker.settings import Settings

EXAMPLES = ROOT / "examples"
EVENTS_TOPIC = "comment-labels"
END_SECONDS = 280  # under pytest's own limit; three starts of torch on a busy machine take long


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


def test_the_kafka_connect_recipe_reads_the_output_topic_with_what_the_kafka_download_has() -> None:
    """The distribution that the other tests run has no Connect, so this holds the names, not the run."""
    lines = (EXAMPLES / "filter" / "connect-sink.properties").read_text(encoding="utf-8").splitlines()
    properties = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert properties["topics"] == Settings().output.topic
    assert {value for value in properties.values() if value.startswith("org.")} == {
        "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "org.apache.kafka.connect.converters.ByteArrayConverter",
        "org.apache.kafka.connect.storage.StringConverter",
        "org.apache.kafka.connect.transforms.Filter",
        "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
    }
    assert properties["transforms.drop.predicate"] == properties["predicates"]


@pytest.mark.docs
def test_the_quality_check_measures_chooses_and_measures_again() -> None:
    printed = run_example(EXAMPLES / "quality" / "check.sh", EXAMPLES / "quality" / "labelled.csv")
    assert re.search(r"thresholds default@\d+, 12 texts", printed)
    assert "thresholds checked@1, 12 texts" in printed


@pytest.mark.docs
def test_a_checkpoint_made_by_the_example_is_one_that_sluice_takes(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    program = EXAMPLES / "own_model" / "own_model.py"
    first = run_example(sys.executable, program, folder)
    assert first.endswith(" mine@1\n")
    assert run_example(sys.executable, program, folder) == first
