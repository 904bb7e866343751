"""The Protobuf schema of an event, from its pydantic model: as a file descriptor, and as the `.proto` text of it.

The comment's own fields are not known here, so `comment` holds it as JSON text, as it came. A moment is a
`google.protobuf.Timestamp`. What may be null has presence (`optional`).

A field's number is its name on the wire and must never change, so the numbers are written down in `NUMBERS`; a field
that the model gains needs the next free one.
"""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

PACKAGE = "sluice"
FILE_NAME = "sluice/label_event.proto"
TIMESTAMP = "google.protobuf.Timestamp"
_TIMESTAMP_FILE = "google/protobuf/timestamp.proto"

NUMBERS: dict[str, tuple[str, ...]] = {
    "LabelEvent": (
        "schema_version",
        "id",
        "comment",
        "labels",
        "flagged",
        "scores",
        "thresholds",
        "model",
        "text",
        "view",
        "source",
        "processed_at",
        "comment_id",
        "tier",
        "tiers",
        "language",
        "model_labels",
        "reasons",
    ),
    "CommentId": ("value", "source"),
    "Thresholds": ("set", "values", "act", "made_for"),
    "ModelInfo": ("id", "revision", "digest", "precision"),
    "TextInfo": ("tokens", "windows", "truncated"),
    "ViewInfo": ("version", "scored", "transforms", "tokens"),
    "LanguageInfo": ("detected", "reliable", "supported"),
    "Reasons": ("method", "text_pointer", "labels"),
    "LabelReasons": ("spans", "window"),
    "ReasonSpan": ("begin", "end", "utf16_begin", "utf16_end", "share"),
    "TextSpan": ("begin", "end", "utf16_begin", "utf16_end"),
    "SourceCoordinates": ("topic", "topic_id", "partition", "offset", "timestamp"),
}
"""For each message its fields in the order of their numbers, from 1. Add at the end; never remove or reorder."""

_SIMPLE: dict[Any, str] = {str: "string", int: "int64", float: "double", bool: "bool", AwareDatetime: TIMESTAMP}


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        name: As in the model.
        number: As in `NUMBERS`.
        kind: A scalar's name, or a message's.
        label: `optional`, `repeated`, `map` (from string) or empty.
        doc: What it holds.
    """

    name: str
    number: int
    kind: str
    label: str
    doc: str


def messages(model: type[BaseModel]) -> dict[str, tuple[str, list[Field]]]:
    """Every message by name, with its summary and fields; the event's own first.

    Raises:
        TypeError: A field has a type without a counterpart here, or no number.
    """
    found: dict[str, tuple[str, list[Field]]] = {}
    _collect(model, found)
    return found


def render_protobuf(model: type[BaseModel]) -> str:
    """The `.proto` text that is checked in."""
    parts = [f'syntax = "proto3";\n\npackage {PACKAGE};\n\nimport "{_TIMESTAMP_FILE}";\n']
    for name, (summary, fields) in messages(model).items():
        lines = [f"// {summary}", f"message {name} {{"]
        for field in fields:
            kind = f"map<string, {field.kind}>" if field.label == "map" else field.kind
            label = f"{field.label} " if field.label in ("optional", "repeated") else ""
            lines += [f"  // {field.doc}"] if field.doc else []
            lines.append(f"  {label}{kind} {field.name} = {field.number};")
        parts.append("\n".join([*lines, "}"]) + "\n")
    return "\n".join(parts)


def file_descriptor(model: type[BaseModel]) -> dict[str, Any]:
    """The same as the JSON of a `google.protobuf.FileDescriptorProto`, to make message classes from."""
    return {
        "name": FILE_NAME,
        "package": PACKAGE,
        "syntax": "proto3",
        "dependency": [_TIMESTAMP_FILE],
        "messageType": [_message(name, fields) for name, (_, fields) in messages(model).items()],
    }


def _collect(model: type[BaseModel], found: dict[str, tuple[str, list[Field]]]) -> None:
    summary = (model.__doc__ or "").split("\n", maxsplit=1)[0]
    found[model.__name__] = summary, list(_fields(model))
    for info in model.model_fields.values():
        for part in (info.annotation, *get_args(info.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel) and part.__name__ not in found:
                _collect(part, found)


def _fields(model: type[BaseModel]) -> Iterator[Field]:
    order = NUMBERS.get(model.__name__, ())
    if unnumbered := model.model_fields.keys() - set(order):
        message = f"{model.__name__}: give {', '.join(sorted(unnumbered))} a number (schemas.protobuf_schema.NUMBERS)"
        raise TypeError(message)
    for number, name in enumerate(order, 1):
        if (info := model.model_fields.get(name)) is not None:
            kind, label = _type(info.annotation, name)
            yield Field(name, number, kind, label, info.description or "")


def _type(annotation: Any, name: str) -> tuple[str, str]:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation], ""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation.__name__, ""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return ("string", "") if arguments[1] is Any else (_type(arguments[1], name)[0], "map")
    if origin in (Union, UnionType):
        (some,) = (argument for argument in arguments if argument is not NoneType)
        return _type(some, name)[0], "optional"
    if origin is Literal:
        return "string", ""
    if origin is list:
        return _type(arguments[0], name)[0], "repeated"
    message = f"{name}: no Protobuf type for {annotation}"
    raise TypeError(message)


def _message(name: str, fields: list[Field]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": name, "field": []}
    for field in fields:
        made = {"name": field.name, "number": field.number, **_kind(field.kind)}
        made["label"] = "LABEL_REPEATED" if field.label in ("repeated", "map") else "LABEL_OPTIONAL"
        if field.label == "map":
            entry = "".join(part.capitalize() for part in field.name.split("_")) + "Entry"
            key = {"name": "key", "number": 1, "label": "LABEL_OPTIONAL", "type": "TYPE_STRING"}
            value = {"name": "value", "number": 2, "label": "LABEL_OPTIONAL", **_kind(field.kind)}
            nested = {"name": entry, "field": [key, value], "options": {"mapEntry": True}}
            described.setdefault("nestedType", []).append(nested)
            made |= {"type": "TYPE_MESSAGE", "typeName": f".{PACKAGE}.{name}.{entry}"}
        elif field.label == "optional" and "typeName" not in made:
            # proto3 keeps the presence of a scalar in a oneof of its own (docs/implementing_proto3_presence.md).
            made |= {"proto3Optional": True, "oneofIndex": len(described.setdefault("oneofDecl", []))}
            described["oneofDecl"].append({"name": f"_{field.name}"})
        described["field"].append(made)
    return described


def _kind(kind: str) -> dict[str, str]:
    if kind in _SIMPLE.values() and kind != TIMESTAMP:
        return {"type": f"TYPE_{kind.upper()}"}
    full_name = kind if kind == TIMESTAMP else f"{PACKAGE}.{kind}"
    return {"type": "TYPE_MESSAGE", "typeName": f".{full_name}"}
