"""Comments as other programs write them: with schemas of their own, by confluent-kafka's serializers."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

from worker.settings import Format

Serialize = Callable[[str, str], bytes]
"""The value of a comment with an id and a text."""

AVRO = {
    "type": "record",
    "name": "Review",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "text", "type": "string"},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "written", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "session", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "thumbnail", "type": "bytes"},
        {"name": "rank", "type": "double"},
        {"name": "author", "type": ["null", {"type": "record", "name": "Author", "fields": [
            {"name": "name", "type": "string"}]}], "default": None},
    ],
}  # fmt: skip
READ_FROM_AVRO = {
    "price": "12.30",
    "written": "2026-11-22T12:00:00.042000Z",
    "day": "2026-11-22",
    "session": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "thumbnail": "__7_",
    "rank": "NaN",
    "author": {"name": "Zoë"},
}
"""What the fields beside id and text are as JSON."""

JSON_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Review",
    "type": "object",
    "properties": {"id": {"type": "string"}, "text": {"type": "string"}, "votes": {"type": "integer"}},
    "required": ["id", "text"],
}

PROTOBUF = {
    "name": "shop/review.proto",
    "package": "shop",
    "syntax": "proto3",
    "dependency": ["google/protobuf/timestamp.proto"],
    "messageType": [
        {"name": "Unrelated", "field": [{"name": "id", "number": 1, "type": "TYPE_STRING"}]},
        {
            "name": "Review",
            "field": [
                {"name": "id", "number": 1, "type": "TYPE_STRING"},
                {"name": "text", "number": 2, "type": "TYPE_STRING"},
                {"name": "vote_count", "number": 3, "type": "TYPE_INT64"},
                {"name": "thumbnail", "number": 4, "type": "TYPE_BYTES"},
                {
                    "name": "written",
                    "number": 5,
                    "type": "TYPE_MESSAGE",
                    "typeName": ".google.protobuf.Timestamp",
                },
            ],
        },
    ],
}
READ_FROM_PROTOBUF = {"vote_count": "9007199254740993", "thumbnail": "//7/", "written": "2026-11-22T12:00:00.042Z"}


def avro(client: SchemaRegistryClient, topic: str) -> Serialize:
    serialize = AvroSerializer(client, json.dumps(AVRO))
    context = SerializationContext(topic, MessageField.VALUE)

    def value(identity: str, text: str) -> bytes:
        fields: dict[str, Any] = {
            "id": identity,
            "text": text,
            "price": Decimal("12.30"),
            "written": datetime(2026, 11, 22, 12, 0, 0, 42_000, UTC),
            "day": date(2026, 11, 22),
            "session": UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
            "thumbnail": b"\xff\xfe\xff",
            "rank": float("nan"),
            "author": {"name": "Zoë"},
        }
        return serialize(fields, context) or b""

    return value


def json_schema(client: SchemaRegistryClient, topic: str) -> Serialize:
    serialize = JSONSerializer(json.dumps(JSON_SCHEMA), client)
    context = SerializationContext(topic, MessageField.VALUE)
    return lambda identity, text: serialize({"id": identity, "text": text, "votes": 3}, context) or b""


def protobuf(client: SchemaRegistryClient, topic: str) -> Serialize:
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(ParseDict(PROTOBUF, FileDescriptorProto()).SerializeToString())
    review = GetMessageClass(pool.FindMessageTypeByName("shop.Review"))
    conf = {"use.deprecated.format": False}
    serialize = ProtobufSerializer(review, client, conf)
    context = SerializationContext(topic, MessageField.VALUE)

    def value(identity: str, text: str) -> bytes:
        fields = {"id": identity, "text": text, **READ_FROM_PROTOBUF}
        return serialize(ParseDict(fields, review()), context) or b""

    return value


SERIALIZERS: dict[Format, Callable[[SchemaRegistryClient, str], Serialize]] = {
    Format.AVRO: avro,
    Format.JSON_SCHEMA: json_schema,
    Format.PROTOBUF: protobuf,
}
"""Each format's serializer of comments for a topic, which registers its schema on first use."""

READ: dict[Format, dict[str, Any]] = {
    Format.AVRO: READ_FROM_AVRO,
    Format.JSON_SCHEMA: {"votes": 3},
    Format.PROTOBUF: READ_FROM_PROTOBUF,
}
"""What the worker reads beside id and text."""
