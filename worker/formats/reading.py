"""Reads values in the formats of a schema registry as JSON, each with its writer's schema.

What becomes of types that JSON does not have: a decimal is a string, exact; a timestamp is RFC 3339; a date and a time
are ISO 8601; a UUID is a string; bytes are base64 (of Avro in the URL-safe alphabet); NaN and infinities are strings.
"""

from collections.abc import Callable
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from pydantic_core import to_json

from worker.formats.framing import STRATEGIES, Framed
from worker.settings import Format, RegistrySettings

Reader = Callable[[Framed], bytes]
"""Reads a value of one format as JSON; raises whatever the format's own library does."""


def make_reader(kind: Format, client: SchemaRegistryClient, settings: RegistrySettings) -> Reader:
    """The reader of a format other than json."""
    conf = {"subject.name.strategy.type": STRATEGIES[settings.subject_name_strategy]}
    if kind is Format.AVRO:
        from confluent_kafka.schema_registry.avro import AvroDeserializer  # noqa: PLC0415 - only what the format needs

        return _whole(AvroDeserializer(client, conf=conf))
    if kind is Format.JSON_SCHEMA:
        from confluent_kafka.schema_registry.json_schema import JSONDeserializer  # noqa: PLC0415 - an extra

        return _checked(JSONDeserializer(None, schema_registry_client=client, conf=conf))
    from worker.formats.protobuf_messages import ProtobufReader  # noqa: PLC0415 - an extra

    return ProtobufReader(client, conf).read


def _whole(deserialize: Callable[..., Any]) -> Reader:
    def read(framed: Framed) -> bytes:
        return to_json(deserialize(framed.value, framed.context), bytes_mode="base64", inf_nan_mode="strings")

    return read


def _checked(deserialize: Callable[..., Any]) -> Reader:
    """Values that are JSON already stay as they are, byte for byte, once they are found to match their schema."""

    def read(framed: Framed) -> bytes:
        deserialize(framed.value, framed.context)
        return framed.payload

    return read
