"""A look at the schema registry without a change to it, for `sluice doctor`: in the words of the check at the start."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from worker.errors import Retryable, SettingsInvalid
from worker.findings import Finding, Severity
from worker.formats.registry import NotInRegistry, ask, make_client
from worker.settings import Format, Settings, SubjectStrategy

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient


def look_at_registry(settings: Settings) -> Iterator[Finding]:
    """What the registry says of the input's and the output's schemas; nothing where the settings name no registry.

    Raises:
        SettingsInvalid: A property is wrong, or the extra `registry` is not installed.
    """
    if settings.registry.url is None:
        return
    client = make_client(settings.registry)
    reading, writing = (kind is not Format.JSON for kind in (settings.input.format, settings.output.format))
    # Which subject an input's schema has is known beforehand only where the topic alone names it.
    named = settings.input.topics if settings.registry.subject_name_strategy is SubjectStrategy.TOPIC else ()
    looks = [_input(topic, settings, client) for topic in named if reading]
    looks += [_output(settings, client)] if writing else []
    try:
        for look in looks or [_answers(settings, client)]:
            try:
                yield from look
            except SettingsInvalid as error:
                yield Finding(Severity.ERROR, str(error))
    except Retryable as error:  # the other questions would only wait for the same
        yield Finding(Severity.ERROR, str(error))


def _answers(settings: Settings, client: "SchemaRegistryClient") -> Iterator[Finding]:
    ask(settings.registry, "for its subjects", lambda: client.get_subjects(limit=1))
    yield Finding(Severity.OK, f"the schema registry at {settings.registry.url} answers this user")


def _input(topic: str, settings: Settings, client: "SchemaRegistryClient") -> Iterator[Finding]:
    from worker.formats.framing import SCHEMA_TYPES  # noqa: PLC0415 - an optional extra

    kind, subject = settings.input.format, f"{topic}-value"
    try:
        found = ask(settings.registry, f"for the subject {subject}", lambda: client.get_latest_version(subject))
    except NotInRegistry:
        text = (
            f"the schema registry at {settings.registry.url} has no subject {subject}: nothing was written to {topic} "
            "yet, or its producers name their subjects otherwise. Values are read with the schema that each names"
        )
        yield Finding(Severity.WARNING, text)
        return
    there = found.schema.schema_type or "AVRO"
    if there == SCHEMA_TYPES[kind]:
        yield Finding(Severity.OK, f"subject {subject} is there, with a schema of type {there}")
    else:
        text = f"subject {subject} holds a schema of type {there}, and input.format = {kind}: its values are rejected"
        yield Finding(Severity.WARNING, text)


def _output(settings: Settings, client: "SchemaRegistryClient") -> Iterator[Finding]:
    from worker.formats.output_schema import (  # noqa: PLC0415 - an optional extra
        check_compatibility,
        check_output_schema,
        subject_of,
        write_example,
    )
    from worker.formats.writing import make_writer  # noqa: PLC0415 - an extra

    kind, topic, registry = settings.output.format, settings.output.topic, settings.registry
    only_looking = registry.model_copy(update={"register_schemas": False})
    write = make_writer(kind, client, only_looking)
    if not registry.register_schemas:
        subject = check_output_schema(kind, topic, client, registry, write)
        yield Finding(Severity.OK, f"subject {subject} has the label event's schema")
        return
    subject = subject_of(kind, topic, client, registry)
    check_compatibility(kind, subject, client, registry)
    try:
        write_example(subject, topic, registry, write)
    except NotInRegistry:
        text = f"the label event's schema can be registered under the subject {subject}; a worker does it at its start"
    else:
        text = f"subject {subject} has the label event's schema"
    yield Finding(Severity.OK, text)
