"""`sluice produce` sends every comment of a file and `sluice watch` shows every event, over the real protocol."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from testkit.outcomes import published
from worker.cli import dispatch
from worker.errors import Fatal, NoBroker, SettingsInvalid
from worker.kafka.embedded.broker import EmbeddedBroker

DEADLINE_SECONDS = 60.0


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker({"comments": 1, "comment-labels": 2}) as running:
        yield running


def publish(broker: EmbeddedBroker, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
    for number, value in enumerate(values):
        producer.produce("comment-labels", value, partition=number % 2)
    assert producer.flush(DEADLINE_SECONDS) == 0


def test_every_comment_is_sent_with_its_id_as_the_key(
    broker: EmbeddedBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("id,text,author\n" + "".join(f"c-{n},text {n},somebody\n" for n in range(50)), encoding="utf-8")

    dispatch(["produce", str(path), "--bootstrap-servers", broker.bootstrap_servers])

    assert capsys.readouterr().out == "50 comments sent to topic comments\n"
    reader = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "test"})
    reader.assign([TopicPartition("comments", 0, OFFSET_BEGINNING)])
    found = reader.consume(50, DEADLINE_SECONDS)
    reader.close()
    assert [(record.key(), json.loads(record.value() or b"")) for record in found] == [
        (f"c-{n}".encode(), {"id": f"c-{n}", "text": f"text {n}", "author": "somebody"}) for n in range(50)
    ]


def test_nothing_is_sent_from_a_file_with_a_bad_line(broker: EmbeddedBroker, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"text": "fine"}\nnot JSON\n', encoding="utf-8")

    with pytest.raises(SettingsInvalid, match="line 2: not JSON"):
        dispatch(["produce", str(path), "--bootstrap-servers", broker.bootstrap_servers])

    reader = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "test"})
    assert reader.get_watermark_offsets(TopicPartition("comments", 0), DEADLINE_SECONDS) == (0, 0)
    reader.close()


def test_a_missing_topic_is_named_and_not_created(broker: EmbeddedBroker) -> None:
    servers = ["--bootstrap-servers", broker.bootstrap_servers]

    for _ in range(2):
        with pytest.raises(Fatal, match="topic coments does not exist"):
            dispatch(["produce", *servers, "--input-topic", "coments"])
    with pytest.raises(Fatal, match="topic lables does not exist"):
        dispatch(["watch", *servers, "--output-topic", "lables"])


def test_a_missing_broker_has_its_own_exit_code() -> None:
    for command in ("produce", "watch"):
        with pytest.raises(NoBroker, match="no broker of 127"):
            dispatch([command, "--bootstrap-servers", "127.0.0.1:1", "--set", "kafka.no_broker_seconds=1"])


def test_watch_shows_events_unchanged_or_as_a_line(broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]) -> None:
    flagged, clean = published(0, 0, "toxic").value, published(0, 1).value
    publish(broker, clean, flagged, b"no label event")
    watch = ["watch", "--from-start", "--bootstrap-servers", broker.bootstrap_servers]

    dispatch([*watch, "--json", "--count", "2"])
    assert sorted(capsys.readouterr().out.splitlines()) == sorted([clean.decode(), flagged.decode()])

    dispatch([*watch, "--flagged", "--count", "1"])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split() == ["c-1", "toxic", "0.90", "a", "text"]


def test_watch_finds_id_and_text_where_the_settings_say(
    broker: EmbeddedBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    event = published(0, 0, "toxic").event
    nested = event.model_copy(update={"comment": {"id": "envelope", "data": {"id": "c-7", "text": "inside"}}})
    without_text = event.model_copy(update={"comment": {"data": {"id": "c-8"}}})
    publish(broker, nested.model_dump_json().encode(), without_text.model_dump_json().encode())
    pointers = ["--set", "input.id_pointer=/data/id", "--set", "input.text_pointer=/data/text"]

    dispatch(["watch", "--from-start", "--count", "2", "--bootstrap-servers", broker.bootstrap_servers, *pointers])

    lines = sorted(line.split() for line in capsys.readouterr().out.splitlines())
    assert lines == [["c-7", "toxic", "0.90", "inside"], ["c-8", "toxic", "0.90"]]
