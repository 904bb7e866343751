"""What `sluice doctor` says of a real registry is what a worker will meet, and nothing is registered by it."""

import json
import uuid

import pytest
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Schema, SchemaRegistryClient, ServerConfig

from schemas.generate import AVRO_FILE
from testkit.registry import Registry
from worker.findings import Severity
from worker.formats.registry_check import look_at_registry
from worker.settings import Format, InputSettings, OutputSettings, RegistrySettings, SchemaIdPlace, Settings

pytestmark = pytest.mark.registry

OTHER = {"type": "record", "name": "Other", "fields": [{"name": "must", "type": "string"}]}


def test_a_new_a_registered_an_incompatible_and_an_absent_subject(registry: Registry) -> None:
    client = SchemaRegistryClient({"url": registry.url, "timeout": 30})
    topic = f"t{uuid.uuid4().hex[:10]}"

    def look(writing: Format, url: str = registry.url) -> list[tuple[Severity, str]]:
        settings = Settings(
            input=InputSettings(topic=topic, format=Format.AVRO),
            output=OutputSettings(topic=f"{topic}-labels", format=writing),
            registry=RegistrySettings(url=url, request_seconds=30),
        )
        return [(finding.severity, finding.text) for finding in look_at_registry(settings)]

    (absent, about_input), (new, about_output) = look(Format.PROTOBUF)
    assert (absent, new) == (Severity.WARNING, Severity.OK)
    assert f"has no subject {topic}-value" in about_input
    assert f"can be registered under the subject {topic}-labels-value" in about_output
    assert not [subject for subject in client.get_subjects() if subject.startswith(topic)]

    client.register_schema(f"{topic}-value", Schema(json.dumps(OTHER), "AVRO"))
    client.register_schema(f"{topic}-labels-value", Schema(AVRO_FILE.read_text(encoding="utf-8"), "AVRO"))
    assert look(Format.AVRO) == [
        (Severity.OK, f"subject {topic}-value is there, with a schema of type AVRO"),
        (Severity.OK, f"subject {topic}-labels-value has the label event's schema"),
    ]

    in_header = Settings(
        output=OutputSettings(topic=f"{topic}-labels", format=Format.AVRO),
        registry=RegistrySettings(url=registry.url, request_seconds=30, schema_id_in=SchemaIdPlace.HEADER),
    )
    (finding,) = look_at_registry(in_header)
    assert finding.severity is Severity.ERROR
    assert "gives schemas no GUID" in finding.text, "this registry has none"

    topic += "-other"
    client.register_schema(f"{topic}-labels-value", Schema(json.dumps(OTHER), "AVRO"))
    client.set_config(f"{topic}-labels-value", ServerConfig(compatibility=ConfigCompatibilityLevel.FULL))
    _, (incompatible, why) = look(Format.AVRO)
    assert incompatible is Severity.ERROR
    assert f"not compatible with the subject {topic}-labels-value" in why

    ((away, why),) = look(Format.AVRO, "http://127.0.0.1:9")
    assert away is Severity.ERROR
    assert "did not answer" in why
