"""A value in a registry's format is decoded as the JSON it stands for; what is wrong with it is a dead letter's reason.

The registry is confluent-kafka's own stand-in; `tests/registry` uses a real one.
"""

import json
from typing import Any

import httpx2
import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from testkit.clock import FakeClock
from testkit.foreign_comments import READ, SERIALIZERS
from testkit.records import ASSIGNMENT, record
from worker.errors import NoRegistry, Retryable, SettingsInvalid
from worker.events.decoding import Decoder
from worker.formats.converted_record import ConvertedRecord
from worker.formats.decoding import FormatDecoder
from worker.formats.framing import HEADER
from worker.kafka.client.retry import Backoff, RetryBudget
from worker.settings import Format, InputSettings, RegistrySettings
from worker.types import Comment, Rejected, Skipped, Stage

FORMATS = sorted(SERIALIZERS)
TEXT = "You stupid jerk, ünïcode 💩"
LIMIT_SECONDS = 60.0


class Client:
    """confluent-kafka's stand-in for a registry, which can be made to fail."""

    def __init__(self) -> None:
        self.real = SchemaRegistryClient.new_client({"url": "mock://"})
        self.failure: Exception | None = None
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def get_schema(self, *arguments: Any, **named: Any) -> Schema:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        try:
            found: Schema = self.real.get_schema(*arguments, **named)
        except SchemaRegistryError as error:  # it has a code of its own
            raise SchemaRegistryError(404, 40403, "Schema not found") from error
        return found


def decoder(kind: Format, client: Any, clock: FakeClock, max_value_bytes: int = 10_000) -> FormatDecoder:
    settings = RegistrySettings(url="http://registry:8081", no_registry_seconds=LIMIT_SECONDS)
    budget = RetryBudget(LIMIT_SECONDS, Backoff(1, 8, uniform=lambda _, high: high), clock)
    return FormatDecoder(
        Decoder(InputSettings(max_value_bytes=max_value_bytes)),
        kind,
        client,
        settings,
        max_value_bytes=max_value_bytes,
        budget=budget,
        clock=clock,
    )


def decode_until_given_up(reader: FormatDecoder, value: bytes, clock: FakeClock) -> NoRegistry:
    while True:
        try:
            reader.decode(record(value), ASSIGNMENT)
        except Retryable:
            clock.sleep(0.5)
        except NoRegistry as error:
            return error


@pytest.mark.parametrize("kind", FORMATS)
def test_a_comment_is_read_with_its_other_fields_as_sensible_json(kind: Format) -> None:
    client = Client()
    value = SERIALIZERS[kind](client.real, "comments")("c-1", TEXT)
    original = record(value)
    decoded = decoder(kind, client, FakeClock()).decode(original, ASSIGNMENT)
    assert isinstance(decoded, Comment)
    assert (decoded.id, decoded.text) == ("c-1", TEXT)
    assert json.loads(decoded.record.value() or b"") == {"id": "c-1", "text": TEXT, **READ[kind]}
    assert isinstance(decoded.record, ConvertedRecord)
    assert decoded.record.original is original


def test_json_with_a_schema_stays_as_it_was_written() -> None:
    client = Client()
    SERIALIZERS[Format.JSON_SCHEMA](client.real, "comments")("c-1", "")
    payload = b'{ "votes":3,\n "text":"\\u0041", "id":"c-1", "more":1.50 }'
    decoded = decoder(Format.JSON_SCHEMA, client, FakeClock()).decode(record(b"\0\0\0\0\1" + payload), ASSIGNMENT)
    assert isinstance(decoded, Comment)
    assert decoded.record.value() == payload
    assert decoded.text == "A"


@pytest.mark.parametrize("kind", FORMATS)
def test_the_schema_id_may_stand_in_a_header(kind: Format) -> None:
    client = Client()
    value = SERIALIZERS[kind](client.real, "comments")("c-1", TEXT)
    length = 7 if kind is Format.PROTOBUF else 5  # the path of the message is one step: its length, and the step
    framed = record(value[length:], headers=[(HEADER, value[:length])])
    decoded = decoder(kind, client, FakeClock()).decode(framed, ASSIGNMENT)
    assert isinstance(decoded, Comment)
    assert decoded.text == TEXT


def test_a_tombstone_is_passed_over_and_a_large_value_is_not_read() -> None:
    client = Client()
    reader = decoder(Format.AVRO, client, FakeClock(), max_value_bytes=64)
    assert isinstance(reader.decode(record(None), ASSIGNMENT), Skipped)
    rejected = reader.decode(record(b"\0" * 100), ASSIGNMENT)
    assert isinstance(rejected, Rejected)
    assert rejected.error == "ValueTooLarge"
    assert client.asked == 0


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b'{"id":"c-1","text":"secret words"}', "UnknownMagicByte"),
        (b"", "UnknownMagicByte"),
        (b"\0\0\0", "BrokenFraming"),
        (b"\0\0\0\0\x63\0secret words", "UnknownSchema"),
        (b"\0\0\0\0\1\0\xff\xffsecret words", "PayloadMismatch"),
    ],
)
def test_a_value_that_cannot_be_read_is_rejected_with_its_reason_and_without_its_words(
    kind: Format, value: bytes, error: str
) -> None:
    client = Client()
    SERIALIZERS[kind](client.real, "comments")("c-1", TEXT)
    original = record(value)
    rejected = decoder(kind, client, FakeClock()).decode(original, ASSIGNMENT)
    assert isinstance(rejected, Rejected)
    assert (rejected.stage, rejected.error) == (Stage.DECODE, error)
    assert rejected.record is original
    assert "secret" not in rejected.reason


def test_json_that_does_not_match_its_schema_is_rejected_with_the_rule_it_breaks() -> None:
    client = Client()
    SERIALIZERS[Format.JSON_SCHEMA](client.real, "comments")("c-1", TEXT)
    value = b'\0\0\0\0\1{"id":"c-1","text":["secret"]}'
    rejected = decoder(Format.JSON_SCHEMA, client, FakeClock()).decode(record(value), ASSIGNMENT)
    assert isinstance(rejected, Rejected)
    assert rejected.error == "PayloadMismatch"
    assert "type" in rejected.reason
    assert "secret" not in rejected.reason


def test_a_schema_of_another_format_is_named() -> None:
    client = Client()
    value = SERIALIZERS[Format.JSON_SCHEMA](client.real, "comments")("c-1", TEXT)
    rejected = decoder(Format.AVRO, client, FakeClock()).decode(record(value), ASSIGNMENT)
    assert isinstance(rejected, Rejected)
    assert (rejected.error, rejected.reason) == (
        "WrongSchemaType",
        "schema 1 is of type JSON, and input.format = avro",
    )


@pytest.mark.parametrize(
    "failure",
    [httpx2.ConnectError("refused"), httpx2.ReadTimeout("timed out"), SchemaRegistryError(503, -1, "busy")],
)
def test_a_registry_that_is_away_rejects_nothing_and_is_given_up_after_the_limit(failure: Exception) -> None:
    client, clock = Client(), FakeClock()
    value = SERIALIZERS[Format.AVRO](client.real, "comments")("c-1", TEXT)
    client.failure = failure
    reader = decoder(Format.AVRO, client, clock)
    began = clock()
    ended = decode_until_given_up(reader, value, clock)
    assert "no_registry_seconds = 60" in str(ended)
    assert ended.exit_code == 3
    assert LIMIT_SECONDS <= clock() - began < 1.5 * LIMIT_SECONDS
    assert client.asked < 20, "it is asked again after pauses that grow"


def test_a_registry_that_comes_back_is_asked_again_and_the_limit_begins_anew() -> None:
    client, clock = Client(), FakeClock()
    value = SERIALIZERS[Format.AVRO](client.real, "comments")("c-1", TEXT)
    reader = decoder(Format.AVRO, client, clock)
    client.failure = httpx2.ConnectError("refused")
    with pytest.raises(Retryable):
        reader.decode(record(value), ASSIGNMENT)
    clock.sleep(LIMIT_SECONDS - 10)
    client.failure = None
    assert isinstance(reader.decode(record(value), ASSIGNMENT), Comment)


def test_a_known_schema_needs_no_registry() -> None:
    client, clock = Client(), FakeClock()
    value = SERIALIZERS[Format.PROTOBUF](client.real, "comments")("c-1", TEXT)
    reader = decoder(Format.PROTOBUF, client, clock)
    reader.decode(record(value), ASSIGNMENT)
    client.failure = None
    assert isinstance(reader.decode(record(value), ASSIGNMENT), Comment)


def test_an_unknown_schema_is_asked_for_once_in_a_while() -> None:
    client, clock = Client(), FakeClock()
    reader = decoder(Format.AVRO, client, clock)
    for _ in range(100):
        reader.decode(record(b"\0\0\0\0\x63\0"), ASSIGNMENT)
    assert client.asked == 1
    clock.sleep(60)
    reader.decode(record(b"\0\0\0\0\x63\0"), ASSIGNMENT)
    assert client.asked == 2


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (SchemaRegistryError(401, 40101, "Unauthorized"), "registry.username"),
        (SchemaRegistryError(403, 40301, "Forbidden"), "registry.username"),
        (SchemaRegistryError(404, -1, "no such page"), "registry.url"),
        (httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "registry.ca_location"),
    ],
)
def test_a_registry_that_refuses_is_a_fault_of_the_settings(failure: Exception, advice: str) -> None:
    client = Client()
    value = SERIALIZERS[Format.AVRO](client.real, "comments")("c-1", TEXT)
    client.failure = failure
    with pytest.raises(SettingsInvalid, match=advice):
        decoder(Format.AVRO, client, FakeClock()).decode(record(value), ASSIGNMENT)
