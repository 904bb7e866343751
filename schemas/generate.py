"""Writes the JSON Schemas of the events: `python -m schemas.generate`."""

import json
from pathlib import Path

from pydantic import BaseModel

from schemas.comment import CommentEvent
from schemas.dead_letter import DeadLetterHeaders
from schemas.label import LabelEvent

FOLDER = Path(__file__).parent / "json"

EVENTS: dict[str, type[BaseModel]] = {
    "comment.schema.json": CommentEvent,
    "label-event.schema.json": LabelEvent,
    "dead-letter-headers.schema.json": DeadLetterHeaders,
}


def render(model: type[BaseModel]) -> str:
    """JSON Schema (draft 2020-12) of one event, as the text that is checked in."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema(by_alias=True)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every schema."""
    FOLDER.mkdir(exist_ok=True)
    for name, model in EVENTS.items():
        (FOLDER / name).write_text(render(model), encoding="utf-8")


if __name__ == "__main__":
    main()
