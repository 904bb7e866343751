"""The page of the AsyncAPI document, from `schemas.asyncapi`."""

import json
from typing import Any

from docgen.markdown import block, code, page, table
from schemas.asyncapi import KAFKA_BINDING, SPECIFICATION, asyncapi_document

_INTRODUCTION = f"""\
`schemas/asyncapi/sluice.json` describes the topics in AsyncAPI {SPECIFICATION} (Kafka binding {KAFKA_BINDING}):
for a catalogue of events, for a generator of readers, for a mock. It is made from the same models as the
[JSON Schemas](events.md), by `make schemas`, and a test fails when it is not up to date. Addresses are the topics'
default names; put yours in, and a `servers` object with your brokers, where a tool needs one."""

_FORMATS = """\
The document describes values in JSON. With `json-schema` as `input.format` or `output.format` the registry's framing
is before them; with `avro` or `protobuf` a label event has the same fields, in
[the registry's schemas](../how-to/schema-registry.md). With `output.label_names` the names under `scores`, `tiers` and
`thresholds` differ; they are open to any name here."""

_PAGES = {
    "comment": "events.md#comment",
    "labelEvent": "events.md#label-event",
    "deadLetter": "events.md#dead-letter",
    "shadowExample": "events.md#example-of-the-shadow",
    "deletion": "../how-to/edits-and-deletions.md",
}


def render() -> str:
    """The page."""
    document = asyncapi_document()
    messages: dict[str, Any] = document["components"]["messages"]
    without_schemas = {**document, "components": {"messages": "...", "schemas": "..."}}
    return page(
        "AsyncAPI",
        _INTRODUCTION,
        "## Channels",
        table(
            ["channel", "address", "messages", "what"],
            [
                [code(name), code(one["address"]), ", ".join(map(_link, one["messages"])), one["description"]]
                for name, one in document["channels"].items()
            ],
        ),
        "## Operations",
        "As the worker sees them: it receives what you send.",
        table(
            ["operation", "action", "channel", "messages", "what"],
            [
                [code(name), one["action"], code(_last(one["channel"])), _links(one["messages"]), one["summary"]]
                for name, one in document["operations"].items()
            ],
        ),
        "## Messages",
        table(
            ["message", "headers", "payload", "key", "what"],
            [
                [_link(name), _schema(one.get("headers")), _schema(one["payload"]), _key(one), one["summary"]]
                for name, one in messages.items()
            ],
        ),
        _FORMATS,
        "## The document",
        "Without its messages and schemas, which are above and on the page of [events](events.md):",
        block(json.dumps(without_schemas, indent=2, ensure_ascii=False), "json"),
    )


def _last(reference: dict[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def _links(references: list[dict[str, str]]) -> str:
    return ", ".join(_link(_last(reference)) for reference in references)


def _link(message: str) -> str:
    return f"[{code(message)}]({_PAGES[message]})"


def _schema(schema: dict[str, Any] | None) -> str:
    if schema is None:
        return ""
    if "$ref" in schema:
        return code(_last(schema))
    return code(schema["type"]) if "type" in schema else str(schema["description"])


def _key(message: dict[str, Any]) -> str:
    return str(message["bindings"]["kafka"]["key"]["description"])
