"""The Avro schema of an event, from its pydantic model.

The comment's own fields are not known here, so `comment` holds it as JSON text, as it came. A moment is a
`timestamp-millis`. What may be null is a union that begins with null and defaults to it; what may be missing has the
model's default, so that events written before a field was added can be read.
"""

import json
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

NAMESPACE = "sluice"
JSON_TEXT = "a JSON text"
_SIMPLE: dict[Any, Any] = {
    str: "string",
    int: "long",
    float: "double",
    bool: "boolean",
    AwareDatetime: {"type": "long", "logicalType": "timestamp-millis"},
}


def avro_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema as Avro's JSON.

    Raises:
        TypeError: A field has a type that has no counterpart here yet.
    """
    return {"type": "record", "namespace": NAMESPACE, **_record(model)}


def render_avro(model: type[BaseModel]) -> str:
    """The schema as the text that is checked in."""
    return json.dumps(avro_schema(model), indent=2, ensure_ascii=False) + "\n"


def _record(model: type[BaseModel]) -> dict[str, Any]:
    fields = []
    for name, info in model.model_fields.items():
        field: dict[str, Any] = {"name": name, "type": _type(info.annotation, name)}
        if isinstance(field["type"], list):
            field["default"] = None
        elif info.default_factory is not None:
            field["default"] = info.get_default(call_default_factory=True, validated_data={})
        if info.description:
            field["doc"] = info.description + (f" ({JSON_TEXT})" if _is_open(info.annotation) else "")
        fields.append(field)
    summary = (model.__doc__ or "").split("\n", maxsplit=1)[0]
    return {"name": model.__name__, "doc": summary, "fields": fields}


def _type(annotation: Any, name: str) -> Any:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {"type": "record", **_record(annotation)}
    if _is_open(annotation):
        return "string"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        (some,) = (argument for argument in arguments if argument is not NoneType)
        return ["null", _type(some, name)]
    if origin is Literal:
        return "string"  # an enum that grows would break readers of the older one
    if origin is list:
        return {"type": "array", "items": _type(arguments[0], name)}
    if origin is dict:
        return {"type": "map", "values": _type(arguments[1], name)}
    message = f"{name}: no Avro type for {annotation}"
    raise TypeError(message)


def _is_open(annotation: Any) -> bool:
    """Whether it is an object of any fields, which travels as JSON text."""
    return get_origin(annotation) is dict and get_args(annotation)[1] is Any
