"""Comments in a registry's format become label events in one; the registry's absence costs no record.

With the real registry and the real broker; the readers and writers at both ends are confluent-kafka's own.
"""

import json
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Schema,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf.json_format import MessageToDict

from schemas import LabelEvent
from schemas.generate import AVRO_FILE
from testkit.foreign_comments import READ, SERIALIZERS
from testkit.kafka import Kafka, eventually
from testkit.registry import Registry
from testkit.stream import Topics
from testkit.workers import WorkerProcess
from worker.formats.protobuf_messages import label_event_class
from worker.settings import Format

pytestmark = [pytest.mark.registry, pytest.mark.kafka]

PROGRESS_SECONDS = 120
FORMATS = sorted(SERIALIZERS)
COUNT = 40
GARBAGE = {
    "UnknownMagicByte": b'{"id":"c-1","text":"plain JSON"}',
    "UnknownSchema": b"\0\x7f\xff\xff\xff\0whatever",
    "BrokenFraming": b"\0\0",
}


def client_of(registry: Registry) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": registry.url, "timeout": 30})


def worker(
    kafka: Kafka, registry: Registry, topics: Topics, kinds: tuple[Format, Format], **more: Any
) -> WorkerProcess:
    settings = {
        **topics.settings,
        "input.format": kinds[0],
        "output.format": kinds[1],
        "registry.url": registry.url,
        "registry.no_registry_seconds": PROGRESS_SECONDS,
        "dead_letters.max_share": 1,
        **{name.replace("__", "."): value for name, value in more.items()},
    }
    return WorkerProcess(kafka.bootstrap_servers, settings)


def read_event(kind: Format, client: SchemaRegistryClient, topic: str, value: bytes) -> dict[str, Any]:
    """A label event as a reader with confluent-kafka's deserializer sees it; its comment as a value."""
    context = SerializationContext(topic, MessageField.VALUE)
    if kind is Format.JSON_SCHEMA:
        read: Any = JSONDeserializer(None, schema_registry_client=client)(value, context)
        return dict(read)
    if kind is Format.AVRO:
        read = AvroDeserializer(client)(value, context)
    else:
        message: Any = label_event_class()
        read = MessageToDict(
            ProtobufDeserializer(message, {"use.deprecated.format": False}, client)(value, context),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        read["model"].setdefault("revision", None)
        read["source"].setdefault("timestamp", None)
    return {**read, "comment": json.loads(read["comment"])}


@pytest.mark.parametrize("kind", FORMATS)
def test_comments_in_a_format_become_events_in_it_and_bad_ones_dead_letters(
    kafka: Kafka, registry: Registry, kind: Format
) -> None:
    client, topics = client_of(registry), Topics(kafka)
    serialize = SERIALIZERS[kind](client, topics.input)
    texts = {f"c-{n}": "you stupid jerk ünïcode" if n % 2 else "thanks, that helped" for n in range(COUNT)}
    values = [serialize(identity, text) for identity, text in texts.items()]
    topics.fill([*values[:10], *GARBAGE.values(), None, *values[10:]])
    with worker(kafka, registry, topics, (kind, kind)) as process:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
    published = topics.read(topics.output)
    events = [read_event(kind, client, topics.output, message.value() or b"") for message in published]
    for event in events:
        LabelEvent.model_validate(event)
        identity = event["comment"]["id"]
        assert event["comment"] == {"id": identity, "text": texts[identity], **READ[kind]}
        assert event["labels"] == (["toxic", "insult"] if "stupid" in texts[identity] else [])
        assert event["flagged"] is ("stupid" in texts[identity])
        assert event["scores"]["toxic"] == float("stupid" in texts[identity])
    assert sorted(event["comment"]["id"] for event in events) == sorted(texts)
    types = {Format.AVRO: b"application/avro", Format.PROTOBUF: b"application/protobuf"}
    assert {dict(m.headers() or [])["content-type"] for m in published} == {types.get(kind, b"application/json")}
    dead = {
        dict(m.headers() or [])["__connect.errors.exception.class.name"]: m.value()
        for m in topics.read(topics.dead_letters)
    }
    assert dead == {name.encode(): value for name, value in GARBAGE.items()}, "with the bytes they came with"


def test_json_goes_out_as_avro_and_avro_as_json(kafka: Kafka, registry: Registry) -> None:
    client, first = client_of(registry), Topics(kafka)
    raw = b'{ "id":"c-1", "text":"you jerk", "votes":1.50, "deep":{"labels":["x"]} }'
    first.fill([raw])
    with worker(kafka, registry, first, (Format.JSON, Format.AVRO)) as process:
        assert eventually(first.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
    (event,) = first.read(first.output)
    found: Any = AvroDeserializer(client)(event.value() or b"", SerializationContext(first.output, MessageField.VALUE))
    assert found["comment"] == raw.decode(), "byte for byte"
    second = Topics(kafka)
    second.fill([SERIALIZERS[Format.AVRO](client, second.input)("c-2", "you jerk")])
    with worker(kafka, registry, second, (Format.AVRO, Format.JSON)) as process:
        assert eventually(second.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
    (event,) = second.read(second.output)
    assert LabelEvent.model_validate_json(event.value() or b"").comment["price"] == "12.30"


def test_a_registry_that_is_away_holds_records_back_and_rejects_none(kafka: Kafka, registry: Registry) -> None:
    client, topics = client_of(registry), Topics(kafka)
    serialize = SERIALIZERS[Format.AVRO](client, topics.input)
    value = serialize("c-1", "you stupid jerk")
    with worker(kafka, registry, topics, (Format.AVRO, Format.JSON), registry__request_seconds=1) as process:
        registry.pause()
        try:
            topics.fill([value] * 20)
            assert eventually(lambda: "the schema registry does not answer" in process.log, PROGRESS_SECONDS)
            assert topics.committed() == {}
        finally:
            registry.resume()
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0
    assert len(topics.read(topics.output)) == 20
    assert topics.read(topics.dead_letters) == []


def test_a_stop_is_heard_while_records_wait_for_a_registry(kafka: Kafka, registry: Registry) -> None:
    client, topics = client_of(registry), Topics(kafka)
    topics.fill([SERIALIZERS[Format.AVRO](client, topics.input)("c-1", "you stupid jerk")])
    settings = {"registry__url": "http://127.0.0.1:9"}
    with worker(kafka, registry, topics, (Format.AVRO, Format.JSON), **settings) as process:
        assert eventually(lambda: "the schema registry does not answer" in process.log, PROGRESS_SECONDS)
        assert process.terminate() == 0
    assert topics.committed() == {}


def test_a_registry_that_stays_away_ends_the_worker_with_3(kafka: Kafka, registry: Registry) -> None:
    topics = Topics(kafka)
    nowhere: dict[str, Any] = {"registry__url": "http://127.0.0.1:9", "registry__no_registry_seconds": 3}
    with worker(kafka, registry, topics, (Format.JSON, Format.AVRO), **nowhere) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 3
        assert "registry.no_registry_seconds = 3" in process.log
    topics.fill([b"\0\0\0\0\1\0"])
    with worker(kafka, registry, topics, (Format.AVRO, Format.JSON), **nowhere) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 3
    assert topics.committed() == {}
    assert topics.read(topics.dead_letters) == []


def test_an_incompatible_subject_ends_the_worker_at_its_start(kafka: Kafka, registry: Registry) -> None:
    client, topics = client_of(registry), Topics(kafka)
    subject = f"{topics.output}-value"
    other = {"type": "record", "name": "Other", "fields": [{"name": "must", "type": "string"}]}
    client.register_schema(subject, Schema(json.dumps(other), "AVRO"))
    client.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.FULL))
    with worker(kafka, registry, topics, (Format.JSON, Format.AVRO)) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 2
        assert f"not compatible with the subject {subject}" in process.log


def test_a_schema_that_must_be_registered_beforehand_is_looked_up(kafka: Kafka, registry: Registry) -> None:
    client, topics = client_of(registry), Topics(kafka)
    subject = f"{topics.output}-value"
    strict: dict[str, Any] = {"registry__register_schemas": "false"}
    with worker(kafka, registry, topics, (Format.JSON, Format.AVRO), **strict) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 2
        assert f"not registered under the subject {subject}" in process.log
        assert "schemas/avro/label-event.avsc" in process.log
    client.register_schema(subject, Schema(AVRO_FILE.read_text(encoding="utf-8"), "AVRO"))
    topics.fill([b'{"id":"c-1","text":"hello"}'])
    with worker(kafka, registry, topics, (Format.JSON, Format.AVRO), **strict) as process:
        assert eventually(topics.is_done, PROGRESS_SECONDS)
        assert process.terminate() == 0


@pytest.fixture
def refusing() -> Iterator[str]:
    """A registry that wants another password."""

    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_refused_credentials_end_the_worker_and_are_named(kafka: Kafka, registry: Registry, refusing: str) -> None:
    password = uuid.uuid4().hex
    settings = {"registry__url": refusing, "registry__username": "sluice", "registry__password": password}
    with worker(kafka, registry, Topics(kafka), (Format.JSON, Format.PROTOBUF), **settings) as process:
        assert process.process.wait(PROGRESS_SECONDS) == 2
        assert "check registry.username and registry.password" in process.log
        assert password not in process.log
