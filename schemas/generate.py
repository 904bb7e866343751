"""Writes the schemas of the events: `python -m schemas.generate`.

JSON Schemas of all of them, an AsyncAPI document of their topics, and an Avro and a Protobuf schema of the label event,
for those who keep their topics in a schema registry.
"""

import json
from pathlib import Path

from pydantic import BaseModel

from schemas.asyncapi import render_asyncapi
from schemas.avro_schema import render_avro
from schemas.comment import CommentEvent
from schemas.dead_letter import DeadLetterHeaders
from schemas.label import LabelEvent
from schemas.protobuf_schema import render_protobuf
from schemas.shadow import ShadowExample

FOLDER = Path(__file__).parent / "json"
ASYNCAPI_FILE = Path(__file__).parent / "asyncapi" / "sluice.json"
AVRO_FILE = Path(__file__).parent / "avro" / "label-event.avsc"
PROTOBUF_FILE = Path(__file__).parent / "protobuf" / "label-event.proto"

EVENTS: dict[str, type[BaseModel]] = {
    "comment.schema.json": CommentEvent,
    "label-event.schema.json": LabelEvent,
    "dead-letter-headers.schema.json": DeadLetterHeaders,
    "shadow-example.schema.json": ShadowExample,
}


def render(model: type[BaseModel]) -> str:
    """JSON Schema (draft 2020-12) of one event, as the text that is checked in."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def texts() -> dict[Path, str]:
    """What every generated file must hold."""
    return {
        **{FOLDER / name: render(model) for name, model in EVENTS.items()},
        ASYNCAPI_FILE: render_asyncapi(),
        AVRO_FILE: render_avro(LabelEvent),
        PROTOBUF_FILE: render_protobuf(LabelEvent),
    }


def main() -> None:
    """Write every schema."""
    for path, text in texts().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
