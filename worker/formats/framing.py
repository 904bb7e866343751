"""The framing of a schema registry: which schema a value was written with, and where its payload begins.

The schema's id leads the value (a magic byte, four bytes, for Protobuf the path of the message in its file), or stands
in the header `__value_schema_id`: Confluent's newer framing, where the first byte 1 means a GUID.
"""

from enum import StrEnum
from typing import NamedTuple

from confluent_kafka.schema_registry import dual_schema_id_deserializer
from confluent_kafka.schema_registry.serde import SchemaId
from confluent_kafka.serialization import MessageField, SerializationContext

from worker.settings import Format, SubjectStrategy
from worker.types import Headers

HEADER = "__value_schema_id"
_MAGIC = (b"\x00", b"\x01")

SCHEMA_TYPES = {Format.AVRO: "AVRO", Format.PROTOBUF: "PROTOBUF", Format.JSON_SCHEMA: "JSON"}
"""The registry's names of the formats."""

STRATEGIES = {
    SubjectStrategy.TOPIC: "TOPIC",
    SubjectStrategy.RECORD: "RECORD",
    SubjectStrategy.TOPIC_RECORD: "TOPIC_RECORD",
    SubjectStrategy.ASSOCIATED: "ASSOCIATED",
}
"""Names of confluent-kafka's own subject name strategies."""


class Fault(StrEnum):
    """Why a value can't be read; the dead letter's `exception.class.name`."""

    UNKNOWN_MAGIC_BYTE = "UnknownMagicByte"
    BROKEN_FRAMING = "BrokenFraming"
    UNKNOWN_SCHEMA = "UnknownSchema"
    WRONG_SCHEMA_TYPE = "WrongSchemaType"
    PAYLOAD_MISMATCH = "PayloadMismatch"


class Undecodable(Exception):
    """A value that its format can't be read from.

    Attributes:
        fault: Its class.
        reason: One sentence for a person; never quotes the value.
    """

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault, self.reason = fault, reason


class Framed(NamedTuple):
    """A value whose framing is read.

    Attributes:
        schema: Identity of its writer's schema, and for Protobuf of the message in it.
        name: The schema's name for a person.
        payload: The value without the framing.
        value: The value as it came.
        context: Topic and headers, as confluent-kafka's serdes take them.
    """

    schema: SchemaId
    name: str
    payload: bytes
    value: bytes
    context: SerializationContext


def context_of(topic: str, headers: Headers) -> SerializationContext:
    """What confluent-kafka's serdes need to know about a record; they take headers as a list only."""
    return SerializationContext(topic, MessageField.VALUE, list(headers))


def unframed(value: bytes, context: SerializationContext, kind: Format) -> Framed:
    """Read a value's framing.

    Raises:
        Undecodable: There is none.
    """
    in_header = any(header[0] == HEADER for header in context.headers or ())
    if not in_header and value[:1] not in _MAGIC:
        reason = (
            f"the value does not begin with the magic byte of a schema registry's framing, as input.format = {kind} "
            "requires"
        )
        raise Undecodable(Fault.UNKNOWN_MAGIC_BYTE, reason)
    schema = SchemaId(SCHEMA_TYPES[kind])
    try:
        payload = dual_schema_id_deserializer(value, context, schema).read()
    except Exception:  # struct.error, EOFError, ...: whatever a broken framing leads to
        reason = f"the value has {len(value)} bytes, and the framing of a schema registry in it is broken"
        raise Undecodable(Fault.BROKEN_FRAMING, reason) from None
    name = f"schema {schema.id if schema.id is not None else schema.guid}"
    return Framed(schema, name, payload, value, context)
