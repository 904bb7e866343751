"""Batches that the Java client compressed are read as they were written, whatever the codec, also side by side."""

import json
import subprocess
from typing import Any

import pytest

from testkit.kafka import kafka_home
from testkit.member import NO_LABELS
from testkit.topic_reader import read_to_end
from tests.contract.group import Group
from worker.events.decoding import Decoder
from worker.types import Assignment, Comment, Labelled, Outcome, Record

pytestmark = pytest.mark.kafka

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
EACH = 200


def lines(codec: str) -> list[bytes]:
    """Comments long and alike enough that compressing them is worth it."""
    text = f"Grüße {codec} 💩 " * 20
    return [json.dumps({"id": f"{codec}-{n}", "text": text}, ensure_ascii=False).encode() for n in range(EACH)]


def produce_with_java(servers: str, topic: str, codec: str) -> None:
    done = subprocess.run(
        [
            kafka_home() / "bin/kafka-console-producer.sh",
            *("--bootstrap-server", servers, "--topic", topic, "--compression-codec", codec),
        ],
        input=b"\n".join(lines(codec)) + b"\n",
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("real_backend", ["classic"], indirect=True)  # how a group shares a topic plays no part here
def test_every_codec_is_read_right(real_group: Group) -> None:
    servers, decoder = real_group.backend.bootstrap_servers, Decoder(real_group.settings().input)
    texts: dict[str, str] = {}

    def judge(record: Record, assignment: Assignment) -> Outcome:
        decoded: Any = decoder.decode(record, assignment)
        assert isinstance(decoded, Comment)
        texts[decoded.id] = decoded.text
        return Labelled(record, assignment, decoded.id, decoded.text, NO_LABELS)

    for codec in CODECS:
        produce_with_java(servers, real_group.input, codec)
    real_group.join(judge=judge).consume(EACH * len(CODECS))
    expected = [line for codec in CODECS for line in lines(codec)]
    assert texts == {found["id"]: found["text"] for found in map(json.loads, expected)}
    assert sorted(m.value() for m in read_to_end(servers, real_group.output)) == sorted(expected)
