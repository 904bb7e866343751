"""The AsyncAPI document is one by the specification, and says of the topics what the worker does.

The specification's own JSON Schema (378 kB) is in no Python package that is kept up, so the objects used here are
described below, and nothing else is let through.
"""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from jsonschema import Draft7Validator, ValidationError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.asyncapi import COMMENT, LABEL_EVENT, SHADOW_EXAMPLE, asyncapi_document
from schemas.comment import CommentEvent
from schemas.generate import ASYNCAPI_FILE
from schemas.label import SCHEMA_VERSION, LabelEvent
from schemas.shadow import ShadowExample
from testkit.keyword_classifier import KeywordClassifier
from testkit.records import ASSIGNMENT, comment_record
from worker.events.dead_letter import DeadLetterEncoder
from worker.events.label_event import LabelEventEncoder
from worker.settings import InputSettings, OutputSettings, Settings
from worker.types import Labelled, Outgoing, Rejected, Stage

DOCUMENT = asyncapi_document()
NEWER_THAN_DRAFT_7 = {
    "$defs", "$dynamicRef", "$anchor", "dependentRequired", "dependentSchemas", "maxContains", "minContains",
    "prefixItems", "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Reference(Strict):
    ref: str = Field(alias="$ref", pattern=r"^#/(channels|components)/")


class License(Strict):
    name: str
    url: str


class Info(Strict):
    title: str
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    description: str
    license: License


class Channel(Strict):
    address: str
    description: str
    messages: dict[str, Reference]


class OperationBinding(Strict):
    groupId: dict[str, Any]  # noqa: N815 - as AsyncAPI has it
    bindingVersion: Literal["0.5.0"]  # noqa: N815 - as AsyncAPI has it


class Operation(Strict):
    action: Literal["send", "receive"]
    summary: str
    channel: Reference
    messages: list[Reference]
    bindings: dict[Literal["kafka"], OperationBinding] = {}


class MessageBinding(Strict):
    key: dict[str, Any]
    bindingVersion: Literal["0.5.0"]  # noqa: N815 - as AsyncAPI has it


class Example(Strict):
    name: str
    payload: dict[str, Any]


class Message(Strict):
    title: str
    summary: str
    description: str = ""
    contentType: str = ""  # noqa: N815 - as AsyncAPI has it
    headers: Reference | None = None
    payload: Reference | dict[str, Any]
    bindings: dict[Literal["kafka"], MessageBinding]
    examples: list[Example] = []


class Components(Strict):
    messages: dict[str, Message]
    schemas: dict[str, dict[str, Any]]


class Document(Strict):
    asyncapi: Literal["3.0.0"]
    id: str = Field(pattern=r"^urn:[a-z0-9]+:\S+$")
    info: Info
    defaultContentType: str  # noqa: N815 - as AsyncAPI has it
    channels: dict[str, Channel]
    operations: dict[str, Operation]
    components: Components


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within, however deep."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(part)


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def validate(name: str, value: Any) -> None:
    """Check a value against a schema of the document, formats included."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER).validate(value)


def label_event() -> Outgoing:
    model = KeywordClassifier()
    encoder = LabelEventEncoder(
        *(InputSettings(), OutputSettings(), model.identity, model.thresholds, model.labels, model.view),
        lambda: 1_795_348_800.5,
    )
    (found,) = model.score(model.encode(["you stupid jerk"]))
    return encoder.encode(Labelled(comment_record("c-1", "you stupid jerk"), ASSIGNMENT, "c-1", "", found))  # type: ignore[arg-type] # it has a verdict


def test_it_has_only_what_the_specification_has() -> None:
    TypeAdapter(Document).validate_python(DOCUMENT)


def test_every_reference_leads_somewhere_and_every_part_is_used() -> None:
    references = {one["$ref"] for one in walk(DOCUMENT) if "$ref" in one}
    for reference in references:
        assert isinstance(resolved(reference), dict), reference
    for kind in ("messages", "schemas"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in references, name


def test_an_operation_has_messages_of_its_own_channel_only() -> None:
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")
    used = {message["$ref"] for operation in DOCUMENT["operations"].values() for message in operation["messages"]}
    assert used == {
        f"#/channels/{name}/messages/{message}"
        for name, channel in DOCUMENT["channels"].items()
        for message in channel["messages"]
    }


def test_its_schemas_are_of_the_draft_that_asyncapi_reads() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft7Validator.check_schema(schema)
        for part in walk(schema):
            assert not NEWER_THAN_DRAFT_7 & set(part), name
            assert "$ref" not in part or len(part) == 1, f"{name}: draft 7 reads nothing beside a reference"


def test_the_addresses_are_the_topics_of_the_default_settings() -> None:
    settings = Settings()
    assert [channel["address"] for channel in DOCUMENT["channels"].values()] == [
        settings.input.topic,
        settings.output.topic,
        settings.dead_letters.topic,
        "shadow-examples",  # has no default: a setting turns it on
    ]
    assert settings.shadow.examples_topic is None
    assert resolved("#/operations/readComments/bindings/kafka/groupId/default") == settings.kafka.group_id
    assert DOCUMENT["info"]["version"] == f"{SCHEMA_VERSION}.0"


def test_the_examples_are_events() -> None:
    CommentEvent.model_validate(COMMENT)
    LabelEvent.model_validate_json(json.dumps(LABEL_EVENT))
    assert LABEL_EVENT.keys() == LabelEvent.model_fields.keys()
    validate("Comment", COMMENT)
    validate("LabelEvent", LABEL_EVENT)
    ShadowExample.model_validate_json(json.dumps(SHADOW_EXAMPLE))
    assert SHADOW_EXAMPLE.keys() == ShadowExample.model_fields.keys()
    validate("ShadowExample", SHADOW_EXAMPLE)


def test_what_a_worker_publishes_is_what_the_document_says() -> None:
    event = label_event()
    validate("LabelEvent", json.loads(event.value or b""))
    validate("LabelEventHeaders", {name: (value or b"").decode() for name, value in event.headers})
    rejected = Rejected(comment_record("c-1", "hi"), ASSIGNMENT, Stage.VALIDATE, "IdMissing", "no id")
    letter = DeadLetterEncoder(Settings(), task_id="w-1", model_id="m", clock=lambda: 1_795_348_800.0).encode(rejected)
    assert set(dict(letter.headers)) <= set(resolved("#/components/schemas/DeadLetterHeaders/properties"))


@pytest.mark.parametrize(
    ("name", "change"),
    [("LabelEvent", {"tier": "ban"}), ("LabelEvent", {"scores": {"toxic": "high"}}), ("Comment", {"text": None})],
)
def test_what_is_no_event_is_refused(name: str, change: dict[str, Any]) -> None:
    valid = LABEL_EVENT if name == "LabelEvent" else COMMENT
    with pytest.raises(ValidationError):
        validate(name, {**valid, **change})


def test_it_is_checked_in_where_the_documentation_says() -> None:
    assert ASYNCAPI_FILE.parts[-3:] == ("schemas", "asyncapi", "sluice.json")
    assert json.loads(ASYNCAPI_FILE.read_text(encoding="utf-8")) == DOCUMENT
