"""Checks at the start that the registry takes the label event's schema, and learns its id."""

from typing import Any

from confluent_kafka.schema_registry import (
    Schema,
    SchemaRegistryClient,
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from confluent_kafka.schema_registry.serde import AssociatedNameStrategy
from confluent_kafka.serialization import SerializationContext
from pydantic_core import to_json

from schemas.avro_schema import NAMESPACE, render_avro
from schemas.generate import render
from schemas.label import SCHEMA_VERSION, LabelEvent
from schemas.protobuf_schema import render_protobuf
from worker.errors import SettingsInvalid
from worker.formats.framing import SCHEMA_TYPES, context_of
from worker.formats.registry import NotInRegistry, ask
from worker.formats.writing import Writer
from worker.settings import Format, RegistrySettings, SubjectStrategy

_TEXTS = {Format.AVRO: render_avro, Format.PROTOBUF: render_protobuf, Format.JSON_SCHEMA: render}
_FILES = {
    Format.AVRO: "schemas/avro/label-event.avsc",
    Format.PROTOBUF: "schemas/protobuf/label-event.proto",
    Format.JSON_SCHEMA: "schemas/json/label-event.schema.json",
}

EXAMPLE: dict[str, Any] = {
    "schema_version": SCHEMA_VERSION,
    "id": "00000000-0000-5000-8000-000000000000",
    "comment": {"id": "", "text": ""},
    "labels": [],
    "flagged": False,
    "tier": "none",
    "tiers": {},
    "scores": {},
    "thresholds": {"set": "", "values": {}, "act": {}, "made_for": "unstated"},
    "model": {"id": "", "revision": None, "digest": "sha256:" + 64 * "0", "precision": "float32"},
    "text": {"tokens": 0, "windows": 1, "truncated": False},
    "view": None,
    "language": None,
    "model_labels": {},
    "source": {"topic": "", "topic_id": None, "partition": 0, "offset": 0, "timestamp": None},
    "processed_at": "1970-01-01T00:00:00.000Z",
}
"""An event to have the schema registered, or looked up, by the serializer itself; it is never published."""


def check_output_schema(
    kind: Format, topic: str, client: SchemaRegistryClient, settings: RegistrySettings, write: Writer
) -> str:
    """Have the event's schema registered or found, after a look whether it is compatible; returns its subject.

    Raises:
        Retryable: The registry does not answer.
        SettingsInvalid: It refuses, the schema is incompatible, or it is not registered and must be.
    """
    subject = subject_of(kind, topic, client, settings)
    if settings.register_schemas:
        check_compatibility(kind, subject, client, settings)
    try:
        write_example(subject, topic, settings, write)
    except NotInRegistry as error:
        message = (
            f"the label event's schema is not registered under the subject {subject} ({error}): register "
            f"{_FILES[kind]} there, or set registry.register_schemas = true"
        )
        raise SettingsInvalid(message) from None
    return subject


def subject_of(kind: Format, topic: str, client: SchemaRegistryClient, settings: RegistrySettings) -> str:
    """The subject of the label event's schema; only the strategy `associated` asks the registry for it.

    Raises:
        Retryable: The registry does not answer.
        SettingsInvalid: It refuses.
    """
    context = context_of(topic, [])
    return ask(settings, f"for the subject of {topic}", lambda: _subject(kind, context, client, settings))


def write_example(subject: str, topic: str, settings: RegistrySettings, write: Writer) -> None:
    """Write an event to nowhere, by which the serializer registers its schema or looks it up, as it was told to.

    Raises:
        NotInRegistry: The schema is not registered, and the serializer must not do it.
        Retryable: The registry does not answer.
        SettingsInvalid: It refuses.
    """
    context, example = context_of(topic, []), to_json(EXAMPLE)
    ask(settings, f"for the schema of {subject}", lambda: write(example, context))


def check_compatibility(kind: Format, subject: str, client: SchemaRegistryClient, settings: RegistrySettings) -> None:
    """Ask whether the label event's schema may be registered under a subject; changes nothing.

    Raises:
        Retryable: The registry does not answer.
        SettingsInvalid: It refuses, or the schema is incompatible.
    """
    schema = Schema(_TEXTS[kind](LabelEvent), SCHEMA_TYPES[kind])
    try:
        fits = ask(
            settings,
            f"whether the label event's schema fits {subject}",
            lambda: client.test_compatibility_all_versions(subject, schema),
        )
    except NotInRegistry:
        return  # a new subject
    if not fits:
        message = (
            f"the label event's {kind} schema is not compatible with the subject {subject} at {settings.url}: another "
            "schema, or an event of another major version, is registered there. Write to another output.topic, choose "
            "another registry.subject_name_strategy, or set another compatibility level for this subject"
        )
        raise SettingsInvalid(message)


def _subject(
    kind: Format, context: SerializationContext, client: SchemaRegistryClient, settings: RegistrySettings
) -> str:
    name = LabelEvent.__name__ if kind is Format.JSON_SCHEMA else f"{NAMESPACE}.{LabelEvent.__name__}"
    strategy = settings.subject_name_strategy
    if strategy is SubjectStrategy.ASSOCIATED:
        found = AssociatedNameStrategy()(context, name, client)
    elif strategy is SubjectStrategy.RECORD:
        found = record_subject_name_strategy(context, name)
    elif strategy is SubjectStrategy.TOPIC_RECORD:
        found = topic_record_subject_name_strategy(context, name)
    else:
        found = topic_subject_name_strategy(context, name)
    assert found  # noqa: S101 - both a topic and a name are given
    return str(found)
