"""The page of events, from the pydantic models in `schemas`."""

from typing import Any

from pydantic import BaseModel

from docgen.markdown import block, code, page, summary, table
from schemas import CommentEvent, DeadLetterHeaders, LabelEvent, ShadowExample
from schemas.cloudevents import constant_headers
from schemas.generate import EVENTS
from schemas.generate import render as render_schema

_INTRODUCTION = """\
Three kinds of records: a comment comes in, a label event goes out, a record that cannot be labelled becomes a dead
letter. A [shadow](../how-to/shadow.md) can publish a fourth: examples of how two models differ. The JSON Schemas are in
the repository under `schemas/json`, made from the models by `make schemas`, and the topics are described in
[AsyncAPI](asyncapi.md). Readers must ignore fields they do not know, so that a later 1.x event can add some."""

_WHERE = {
    CommentEvent: ("Comment", "Value of a record of the input topic (`input.topic`)."),
    LabelEvent: (
        "Label event",
        "Value of a record of the output topic (`output.topic`). Key and `traceparent` are those of the comment.",
    ),
    DeadLetterHeaders: (
        "Dead letter",
        "Headers of a record of the dead letter topic (`dead_letters.topic`). All else is as it came.",
    ),
    ShadowExample: (
        "Example of the shadow",
        "Value of a record of the topic `shadow.examples_topic`. Its key is `event_id`; it never has a text.",
    ),
}


def render() -> str:
    """The page."""
    return page("Events", _INTRODUCTION, *(_event(name, model) for name, model in EVENTS.items()))


def _event(file: str, model: type[BaseModel]) -> str:
    title, where = _WHERE[model]
    schema = model.model_json_schema(by_alias=True)
    parts = [f"## {title}", where, summary(model), _fields(schema)]
    for name, part in schema.get("$defs", {}).items():
        parts += [f"### {title}: {name}", part.get("description", ""), _fields(part)]
    if model is LabelEvent:
        parts += ["### Headers of a label event", _headers()]
    parts += [f"### Schema: {file}", block(render_schema(model), "json")]
    return "\n\n".join(part for part in parts if part)


def _headers() -> str:
    rows = [[code(name), code(value.decode())] for name, value in constant_headers("comments")]
    rows += [[code("ce_id"), "the event's `id`"], [code("ce_time"), "`processed_at`"]]
    text = "CloudEvents 1.0 in binary mode, for an input topic called `comments`:"
    return f"{text}\n\n{table(['header', 'value'], rows)}"


def _fields(schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        [code(name), _type(field), "yes" if name in required else "no", field.get("description", "")]
        for name, field in schema["properties"].items()
    ]
    return table(["field", "type", "required", "what"], rows)


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "const" in field:
        return code(field["const"])
    if "enum" in field:
        return ", ".join(map(code, field["enum"]))
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"array of {_type(field['items'])}"
    values = field.get("additionalProperties")
    if kind == "object" and isinstance(values, dict):
        return f"object of {_type(values)}"
    return f"{kind} ({field['format']})" if "format" in field else kind
