"""The AsyncAPI 3.0 document of the topics, made from the models of the events.

Payloads and headers are the same JSON Schemas as in `schemas/json`; what those have under `$defs` is a schema of its
own here. They keep to what draft 7 of JSON Schema has, which AsyncAPI's default format is built on. Addresses are the
topics' default names; which broker has them is no part of the contract, so the document names no server.
"""

import json
from typing import Any

from pydantic import BaseModel

from schemas.cloudevents import constant_headers
from schemas.comment import CommentEvent
from schemas.dead_letter import DeadLetterHeaders
from schemas.label import SCHEMA_VERSION, LabelEvent
from schemas.shadow import EXAMPLE_VERSION, ShadowExample

SPECIFICATION = "3.0.0"
KAFKA_BINDING = "0.5.0"

_SCHEMAS = "#/components/schemas/"
_TRACE = {
    "traceparent": "W3C Trace Context of the comment's record, if it had a valid one",
    "tracestate": "Likewise",
}

COMMENT = {"id": "c-2", "text": "You are a stupid, idiotic jerk. I hate you.", "author": "tobias_k"}
LABEL_EVENT = {
    "schema_version": SCHEMA_VERSION,
    "id": "2d0f3c1e-5d0a-5f0b-9f0e-0a7a3c1b9d55",
    "comment_id": {"value": "c-2", "source": "field"},
    "comment": COMMENT,
    "labels": ["toxic", "insult"],
    "flagged": True,
    "tier": "act",
    "tiers": {"toxic": "act", "insult": "review"},
    "scores": {"toxic": 0.978108, "insult": 0.740854},
    "thresholds": {
        "set": "mine@1",
        "values": {"toxic": 0.477, "insult": 0.415},
        "act": {"toxic": 0.7309},
        "made_for": "this-model",
    },
    "model_labels": {},
    "model": {"id": "mine", "revision": None, "digest": "sha256:" + 64 * "0", "precision": "float32"},
    "text": {"tokens": 15, "windows": 1, "truncated": False},
    "view": {"version": "canonical@1", "scored": False, "transforms": [], "tokens": 0},
    "language": {"detected": "en", "reliable": True, "supported": True},
    "reasons": {
        "method": "token-head@1",
        "text_pointer": "/text",
        "labels": {
            "toxic": {
                "spans": [
                    {"begin": 10, "end": 16, "utf16_begin": 10, "utf16_end": 16, "share": 0.38},
                    {"begin": 18, "end": 25, "utf16_begin": 18, "utf16_end": 25, "share": 0.33},
                    {"begin": 26, "end": 30, "utf16_begin": 26, "utf16_end": 30, "share": 0.29},
                ],
                "window": None,
            },
            "insult": {
                "spans": [{"begin": 26, "end": 30, "utf16_begin": 26, "utf16_end": 30, "share": 1.0}],
                "window": None,
            },
        },
    },
    "source": {"topic": "comments", "topic_id": None, "partition": 0, "offset": 0, "timestamp": None},
    "processed_at": "2026-11-22T22:51:05.467Z",
}
SHADOW_EXAMPLE = {
    "schema_version": EXAMPLE_VERSION,
    "event_id": LABEL_EVENT["id"],
    "comment_id": "c-2",
    "source": {"topic": "comments", "topic_id": None, "partition": 0, "offset": 0},
    "incumbent": {
        "model": LABEL_EVENT["model"],
        "threshold_set": "mine@1",
        "view": "canonical@1",
        "scores": LABEL_EVENT["scores"],
        "tiers": LABEL_EVENT["tiers"],
    },
    "candidate": {
        "model": {"id": "next", "revision": None, "digest": "sha256:" + 64 * "1", "precision": "float32"},
        "threshold_set": "next@1",
        "view": "canonical@1",
        "scores": {"toxic": 0.968214, "insult": 0.402117},
        "tiers": {"toxic": "act"},
    },
    "differences": [{"label": "insult", "tier": "review", "by": "incumbent"}],
    "kept": "differing",
    "compared_at": "2026-11-22T22:51:06.021Z",
}


def asyncapi_document() -> dict[str, Any]:
    """The document as JSON."""
    return {
        "asyncapi": SPECIFICATION,
        "id": "urn:sluice:worker",
        "info": {
            "title": "Sluice",
            "version": f"{SCHEMA_VERSION}.0",
            "description": "Reads comments from one topic and writes a label event for each to another; a record that "
            "cannot be labelled becomes a dead letter. The version is that of the label event. Readers must ignore "
            "fields they do not know.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "comments": _channel(
                "comments", "Comments to be labelled. The topic is a setting, input.topic.", ["comment", "deletion"]
            ),
            "commentLabels": _channel(
                "comment-labels",
                "Label events, each under the key of its comment. The topic is a setting, output.topic.",
                ["labelEvent", "deletion"],
            ),
            "deadLetters": _channel(
                "comments.dlq",
                "Records that could not be labelled. The topic is a setting, dead_letters.topic.",
                ["deadLetter"],
            ),
            "shadowExamples": _channel(
                "shadow-examples",
                "How a candidate model and the one in use score a sample of the comments, by ids: those on which they "
                "differ, or all. Only where shadow.examples_topic names a topic; it has no default.",
                ["shadowExample"],
            ),
        },
        "operations": {
            "readComments": _operation("receive", "comments", ["comment", "deletion"], "Read comments"),
            "labelComment": _operation("send", "commentLabels", ["labelEvent"], "Publish a comment's labels"),
            "forwardDeletion": _operation(
                "send",
                "commentLabels",
                ["deletion"],
                "Forward the tombstone of a deleted comment, where output.tombstones says so",
            ),
            "rejectRecord": _operation("send", "deadLetters", ["deadLetter"], "Keep a record that cannot be labelled"),
            "publishExample": _operation(
                "send", "shadowExamples", ["shadowExample"], "Publish how a candidate scores a comment of the sample"
            ),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def render_asyncapi() -> str:
    """The document as the text that is checked in."""
    return json.dumps(asyncapi_document(), indent=2, ensure_ascii=False) + "\n"


def _channel(address: str, description: str, messages: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operation(action: str, channel: str, messages: list[str], summary: str) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }
    if action == "receive":
        group = {"type": "string", "default": "sluice", "description": "kafka.group_id"}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": KAFKA_BINDING}}
    return operation


def _messages() -> dict[str, Any]:
    return {
        "comment": {
            "title": "Comment",
            "summary": "A comment, as Sluice reads it by default",
            "description": "Where id and text are, and what they come in, are settings: input.id_pointer, "
            "input.text_pointer, input.envelope, input.format.",
            "payload": {"$ref": f"{_SCHEMAS}Comment"},
            "bindings": _key("Any; records of one comment under one key make edits and deletions work"),
            "examples": [{"name": "comment", "payload": COMMENT}],
        },
        "deletion": {
            "title": "Deletion",
            "summary": "A tombstone: the comment of this key was deleted",
            "payload": {"type": "null"},
            "bindings": _key("That of the comment"),
        },
        "labelEvent": {
            "title": "Label event",
            "summary": "A comment with its labels",
            "headers": {"$ref": f"{_SCHEMAS}LabelEventHeaders"},
            "payload": {"$ref": f"{_SCHEMAS}LabelEvent"},
            "bindings": _key("That of the comment's record"),
            "examples": [{"name": "labelEvent", "payload": LABEL_EVENT}],
        },
        "deadLetter": {
            "title": "Dead letter",
            "summary": "A record that could not be labelled, with its reason in headers",
            "description": "Key, value, timestamp and headers are those of the record; headers say what is wrong.",
            "contentType": "application/octet-stream",
            "headers": {"$ref": f"{_SCHEMAS}DeadLetterHeaders"},
            "payload": {"description": "The record's value, byte for byte: it may be anything"},
            "bindings": _key("That of the record"),
        },
        "shadowExample": {
            "title": "Example of the shadow",
            "summary": "A comment that two models scored, without its text",
            "payload": {"$ref": f"{_SCHEMAS}ShadowExample"},
            "bindings": _key("The id of the label event that was compared"),
            "examples": [{"name": "shadowExample", "payload": SHADOW_EXAMPLE}],
        },
    }


def _key(description: str) -> dict[str, Any]:
    return {"kafka": {"key": {"description": description}, "bindingVersion": KAFKA_BINDING}}


def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model in (CommentEvent, LabelEvent, DeadLetterHeaders, ShadowExample):
        found |= _schema(model)
    found["LabelEventHeaders"] = _label_event_headers()
    return found


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema under its title, and each of its parts beside it."""
    schema = model.model_json_schema(by_alias=True, ref_template=_SCHEMAS + "{model}")
    parts: dict[str, Any] = schema.pop("$defs", {})
    return {schema["title"]: schema, **parts}


def _label_event_headers() -> dict[str, Any]:
    """CloudEvents 1.0 in binary mode, for the input topic's default name."""
    constant = {name: {"type": "string", "const": value.decode()} for name, value in constant_headers("comments")}
    constant["ce_source"] = {"type": "string", "description": "urn:kafka:topic: and the comment's topic"}
    own = {
        "ce_id": {"type": "string", "description": "The event's id"},
        "ce_time": {"type": "string", "format": "date-time", "description": "The event's processed_at"},
        "ce_subject": {"type": "string", "description": "The comment's id"},
    }
    trace = {name: {"type": "string", "description": description} for name, description in _TRACE.items()}
    return {
        "title": "LabelEventHeaders",
        "description": "CloudEvents 1.0 in the Kafka binding's binary mode; each is a UTF-8 string.",
        "type": "object",
        "properties": {**constant, **own, **trace},
        "required": [*constant, *own],
    }
