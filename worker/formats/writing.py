"""Writes label events in the formats of a schema registry: framed with the id of the event's own schema.

The event's schemas are those of `schemas/`. In Avro and Protobuf its comment is JSON text, as it came, since its fields
are not ours; in JSON Schema the value is the framing and then the event's own bytes.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import jiter
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.schema_registry.serde import SchemaId
from confluent_kafka.serialization import SerializationContext
from google.protobuf.json_format import ParseDict

from schemas.avro_schema import render_avro
from schemas.generate import render
from schemas.label import LabelEvent
from worker.errors import SettingsInvalid
from worker.formats.framing import STRATEGIES
from worker.formats.protobuf_messages import label_event_class
from worker.settings import Format, RegistrySettings, SchemaIdPlace

Writer = Callable[[bytes, SerializationContext], bytes]
"""Writes the JSON of a label event as a value of its topic. The first call asks the registry, later ones don't.

With `registry.schema_id_in=header` it adds a header to the context's.
"""

_scan = json.JSONDecoder().raw_decode
_COMMENT = '"comment":'


def make_writer(kind: Format, client: SchemaRegistryClient, settings: RegistrySettings) -> Writer:
    """The writer of a format other than json."""
    conf: dict[str, Any] = {
        "auto.register.schemas": settings.register_schemas,
        # A schema that was registered from its file has other blanks and line ends.
        "normalize.schemas": True,
        "subject.name.strategy.type": STRATEGIES[settings.subject_name_strategy],
    }
    if settings.schema_id_in is SchemaIdPlace.HEADER:
        conf["schema.id.serializer"] = _with_id_in_header
    if kind is Format.JSON_SCHEMA:
        # Our own schema is not checked again for each event, and the bytes are those that json alone would write.
        serialize: Any = JSONSerializer(
            render(LabelEvent), client, conf={**conf, "validate": False}, json_encode=_unchanged
        )
        return lambda event, context: _bytes(serialize(event, context))
    if kind is Format.AVRO:
        serialize = AvroSerializer(client, render_avro(LabelEvent), _moments_as_dates, conf)
        return lambda event, context: _bytes(serialize(_with_comment_as_text(event), context))
    message = label_event_class()
    serialize = ProtobufSerializer(message, client, {**conf, "use.deprecated.format": False})
    return lambda event, context: _bytes(serialize(ParseDict(_with_comment_as_text(event), message()), context))


def _with_id_in_header(payload: bytes, context: SerializationContext | None, schema: SchemaId) -> bytes:
    """confluent-kafka's own header, or the reason why there can be none.

    Raises:
        SettingsInvalid: The registry gave no GUID.
    """
    if schema.guid is None:
        message = (
            "registry.schema_id_in = header: the schema registry gives schemas no GUID, which the header holds. Set it "
            "to value, or use a registry that gives one (Confluent's does since 8.0)"
        )
        raise SettingsInvalid(message)
    return header_schema_id_serializer(payload, context, schema)


def _unchanged(event: bytes) -> bytes:
    return event


def _bytes(value: bytes | None) -> bytes:
    assert value is not None  # noqa: S101 - only None is written as None
    return value


def _with_comment_as_text(event: bytes) -> dict[str, Any]:
    """The event with its comment as the JSON text that stands in it."""
    text = event.decode()
    begin = text.index(_COMMENT) + len(_COMMENT)  # no string before it holds quotes that are not escaped
    _, end = _scan(text, begin)
    document: dict[str, Any] = jiter.from_json(event)
    document["comment"] = text[begin:end]
    return document


def _moments_as_dates(event: dict[str, Any], _: SerializationContext) -> dict[str, Any]:
    event["processed_at"] = datetime.fromisoformat(event["processed_at"])
    source = event["source"]
    if source["timestamp"] is not None:
        source["timestamp"] = datetime.fromisoformat(source["timestamp"])
    return event
