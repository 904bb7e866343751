"""A label event in a registry's format says what its JSON says; dead letters keep the bytes their record came with."""

import json
from typing import Any

import attrs
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from google.protobuf.json_format import MessageToDict

from schemas import LabelEvent
from testkit.records import ASSIGNMENT, record
from worker.errors import SettingsInvalid
from worker.events.dead_letter import DeadLetterEncoder
from worker.events.label_event import LabelEventEncoder
from worker.formats import label_events
from worker.formats.converted_record import ConvertedRecord
from worker.formats.encoding import format_encoder
from worker.formats.framing import HEADER, context_of
from worker.formats.output_schema import EXAMPLE, check_output_schema
from worker.formats.protobuf_messages import label_event_class
from worker.formats.writing import make_writer
from worker.reasons.spans import LabelReasons, Offsets, Reason, Reasons
from worker.settings import (
    Format,
    InputSettings,
    OutputSettings,
    RegistrySettings,
    SchemaIdPlace,
    Settings,
    SubjectStrategy,
)
from worker.types import Classification, Labelled, ModelIdentity, Outgoing, Rejected, Stage, TextFacts
from worker.verdicts import ThresholdSet

TOPIC = "comment-labels"
URL = "http://registry:8081"
REGISTRY = RegistrySettings(url=URL)
COMMENT = b'{ "id":"c-1", "labels":["x"], "text":"\\u0041 \xf0\x9f\x92\xa9 \\",\\"labels\\":[" , "n":1.50 }'
FORMATS = [Format.AVRO, Format.JSON_SCHEMA, Format.PROTOBUF]


@pytest.fixture
def client() -> SchemaRegistryClient:
    return SchemaRegistryClient.new_client({"url": "mock://"})


def labelled() -> Labelled:
    span = Offsets("A 💩").span(2, 3)
    reasons = Reasons("leave-out@1", {"toxic": LabelReasons((Reason(span, 1.0),), None)})
    found = Classification({"toxic": 0.75, "labels": 0.1}, ("toxic",), TextFacts(4, 1, False), reasons=reasons)
    return Labelled(record(COMMENT), ASSIGNMENT, "c-1", "A", found)


def encode_label(outcome: Any) -> Outgoing:
    return LabelEventEncoder(
        InputSettings(),
        OutputSettings(),
        ModelIdentity("m", None, "sha256:" + "0" * 64, "float32"),
        ThresholdSet("default@1", {"toxic": 0.5}),
        ("toxic", "labels"),
        "canonical@1",
        lambda: 1_795_348_800.042,
    ).encode(outcome)


def read(kind: Format, client: SchemaRegistryClient, value: bytes) -> dict[str, Any]:
    context = context_of(TOPIC, [])
    if kind is Format.AVRO:
        found: Any = AvroDeserializer(client)(value, context)
        return dict(found)
    message: Any = label_event_class()
    parsed: Any = ProtobufDeserializer(message, {"use.deprecated.format": False}, client)(value, context)
    shown: dict[str, Any] = MessageToDict(
        parsed, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return shown


@pytest.mark.parametrize("kind", [Format.AVRO, Format.PROTOBUF])
def test_every_field_arrives_and_the_comment_is_its_own_json_text(kind: Format, client: SchemaRegistryClient) -> None:
    outgoing = encode_label(labelled())
    found = read(kind, client, make_writer(kind, client, REGISTRY)(outgoing.value or b"", context_of(TOPIC, [])))
    assert found.pop("comment") == COMMENT.decode(), "byte for byte"
    expected = LabelEvent.model_validate_json(outgoing.value or b"").model_dump(exclude={"comment"})
    if kind is Format.PROTOBUF:  # a field without a value is absent, as proto3 says
        del expected["model"]["revision"]
        assert "revision" not in found["model"]
        found["model"]["revision"] = expected["model"]["revision"] = None
        found["source"].setdefault("topic_id", None)
    assert LabelEvent.model_validate({**found, "comment": {}}).model_dump(exclude={"comment"}) == expected


def test_json_with_a_schema_is_the_framing_and_the_events_own_bytes(client: SchemaRegistryClient) -> None:
    event = encode_label(labelled()).value or b""
    value = make_writer(Format.JSON_SCHEMA, client, REGISTRY)(event, context_of(TOPIC, []))
    assert value[:1] == b"\0"
    assert value[5:] == event


@pytest.mark.parametrize("kind", FORMATS)
def test_a_schema_is_named_in_a_header_when_asked_for_and_its_value_has_no_framing(
    kind: Format, client: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_events, "make_client", lambda _: client)
    settings = RegistrySettings(url=URL, schema_id_in=SchemaIdPlace.HEADER)
    outgoing = format_encoder(encode_label, kind, make_writer(kind, client, settings))(labelled())
    assert outgoing is not None
    (identity,) = [value for name, value in outgoing.headers if name == HEADER]
    assert isinstance(identity, bytes)
    assert identity[:1] == b"\1", "a GUID"
    event = encode_label(labelled()).value or b""
    if kind is Format.JSON_SCHEMA:
        assert outgoing.value == event, "byte for byte"
    framed = format_encoder(encode_label, kind, make_writer(kind, client, REGISTRY))(labelled())
    assert framed is not None
    assert (framed.value or b"")[5:].endswith(outgoing.value or b"-")
    read_event = label_events.event_reader(Settings(output=OutputSettings(format=kind), registry=settings))
    read_back = read_event(record(outgoing.value, headers=outgoing.headers))
    assert LabelEvent.model_validate_json(read_back) == LabelEvent.model_validate_json(event)


def test_a_registry_without_guids_is_refused_before_an_event_is_written(client: SchemaRegistryClient) -> None:
    register = client.register_schema_full_response

    def without_guid(*arguments: Any, **named: Any) -> Any:
        return attrs.evolve(register(*arguments, **named), guid=None)

    client.register_schema_full_response = without_guid  # type: ignore[method-assign] # as a registry without GUIDs
    client.test_compatibility_all_versions = lambda *_: True  # type: ignore[method-assign] # the stand-in has none
    settings = RegistrySettings(url=URL, schema_id_in=SchemaIdPlace.HEADER)
    write = make_writer(Format.AVRO, client, settings)
    with pytest.raises(SettingsInvalid, match="gives schemas no GUID"):
        check_output_schema(Format.AVRO, TOPIC, client, settings, write)


def test_the_example_that_has_the_schema_registered_is_a_label_event() -> None:
    LabelEvent.model_validate(EXAMPLE)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_follower_of_the_output_reads_the_event_back(
    kind: Format, client: SchemaRegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_events, "make_client", lambda _: client)
    settings = Settings(output=OutputSettings(format=kind), registry=REGISTRY)
    event = encode_label(labelled()).value or b""
    value = make_writer(kind, client, REGISTRY)(event, context_of(TOPIC, []))
    read_event = label_events.event_reader(settings)
    assert LabelEvent.model_validate_json(read_event(record(value))) == LabelEvent.model_validate_json(event)
    for broken in (event, value[:-30] if kind is not Format.JSON_SCHEMA else value[:-1], value[:5] + b"\xff" * 40):
        with pytest.raises(ValueError, match="no label event"):
            read_event(record(broken))


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("strategy", "avro", "json_schema"),
    [
        (SubjectStrategy.TOPIC, f"{TOPIC}-value", f"{TOPIC}-value"),
        (SubjectStrategy.RECORD, "sluice.LabelEvent", "LabelEvent"),
        (SubjectStrategy.TOPIC_RECORD, f"{TOPIC}-sluice.LabelEvent", f"{TOPIC}-LabelEvent"),
    ],
)
def test_the_schema_is_registered_under_the_subject_that_is_asked_for(
    kind: Format, strategy: SubjectStrategy, avro: str, json_schema: str, client: SchemaRegistryClient
) -> None:
    client.test_compatibility_all_versions = lambda *_: True  # type: ignore[method-assign] # the stand-in has none
    settings = RegistrySettings(url="http://registry:8081", subject_name_strategy=strategy)
    subject = check_output_schema(kind, TOPIC, client, settings, make_writer(kind, client, settings))
    assert subject == (json_schema if kind is Format.JSON_SCHEMA else avro)
    assert client.get_subjects() == [subject]


def test_a_dead_letter_has_the_bytes_its_record_came_with() -> None:
    original = record(b"\0\0\0\0\1 not JSON")
    converted = ConvertedRecord(original, b'{"id":"c-1","text":"x"}')
    dead = DeadLetterEncoder(Settings(), task_id="t", model_id="m", clock=lambda: 1.0)

    def encode(outcome: Any) -> Outgoing:
        return dead.encode(outcome) if isinstance(outcome, Rejected) else encode_label(outcome)

    rejected = Rejected(converted, ASSIGNMENT, Stage.INFERENCE, "ValueError", "the model failed")
    letter = format_encoder(encode, Format.JSON, None)(rejected)
    assert letter is not None
    assert (letter.value, letter.key) == (original.value(), original.key())


def test_the_content_type_is_that_of_the_format(client: SchemaRegistryClient) -> None:
    encode = format_encoder(encode_label, Format.AVRO, make_writer(Format.AVRO, client, REGISTRY))
    outgoing = encode(labelled())
    assert outgoing is not None
    assert [value for name, value in outgoing.headers if name == "content-type"] == [b"application/avro"]
    assert json.loads(read(Format.AVRO, client, outgoing.value or b"")["comment"])["id"] == "c-1"
