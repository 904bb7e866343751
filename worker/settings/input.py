"""The settings of the input: which topics, and what their records mean."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_settings import NoDecode

from worker.settings.fields import JsonPointer, Section, TopicName, from_json
from worker.settings.formats import Format


class Start(StrEnum):
    """Where to read a partition that has no committed offset, or one out of range."""

    EARLIEST = "earliest"
    LATEST = "latest"
    ERROR = "error"


class IdKind(StrEnum):
    """What the id at `input.id_pointer` is; with `none` the id is the record's key, else its coordinates."""

    STRING_OR_INTEGER = "string-or-integer"
    STRING = "string"
    INTEGER = "integer"
    UUID = "uuid"
    NONE = "none"


class Envelope(StrEnum):
    """What is around a comment in the value of its record."""

    NONE = "none"
    CLOUDEVENTS = "cloudevents"
    DEBEZIUM = "debezium"
    CONNECT = "connect"


class TextFormat(StrEnum):
    """How the text is written."""

    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"


def _as_list(value: Any) -> Any:
    """Several pointers, or one."""
    value = from_json(value)
    return [value] if isinstance(value, str) else value


def _in_one_line(value: Any) -> Any:
    """Several topics, given as a list or with blanks around the commas."""
    value = from_json(value)
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        value = ",".join(value)
    return ",".join(name.strip() for name in value.split(",")) if _is_list(value) else value


def _is_list(value: Any) -> bool:
    return isinstance(value, str) and "," in value and not value.startswith("^")


_TOPIC: TypeAdapter[str] = TypeAdapter(TopicName)


def _names_topics(value: str) -> str:
    if value.startswith("^"):
        try:
            re.compile(value)
        except re.error as error:
            message = f"not a pattern: {error}"
            raise ValueError(message) from None
        return value
    names = value.split(",")
    if len(set(names)) < len(names):
        message = "it names one topic twice"
        raise ValueError(message)
    for name in names:
        try:
            _TOPIC.validate_python(name)
        except ValidationError:
            message = (
                "write the name of a topic (letters, digits, dots, dashes and underscores, at most 249; not . or ..), "
                "several with commas between them, or a pattern that begins with ^"
            )
            raise ValueError(message) from None
    return value


Scalar = StrictStr | StrictBool | StrictInt | StrictFloat


class Condition(Section):
    """A condition on one value of a record. Exactly one of `equals`, `in` and `exists` is given."""

    pointer: JsonPointer = Field(description="JSON Pointer to the value")
    equals: Scalar | None = Field(None, description="The value is this one")
    one_of: tuple[Scalar, ...] | None = Field(None, alias="in", description="The value is one of these")
    exists: StrictBool | None = Field(None, description="There is a value other than null, or there is none")

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Condition":
        if sum(asked is not None for asked in (self.equals, self.one_of, self.exists)) != 1:
            message = "write exactly one of equals, in and exists beside the pointer"
            raise ValueError(message)
        return self

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        given = {"pointer": self.pointer, "equals": self.equals, "in": self.one_of, "exists": self.exists}
        return {name: value for name, value in given.items() if value is not None}


class InputSettings(Section):
    """Where comments come from and how to read them."""

    topic: Annotated[str, BeforeValidator(_in_one_line), AfterValidator(_names_topics)] = Field(
        "comments",
        description="Topic of the comments; several with commas between them, or a pattern that begins with ^",
    )
    envelope: Envelope = Field(
        Envelope.NONE,
        description="What the comment comes in; id, text and the event's comment are of what is inside, conditions of "
        "the whole value",
    )
    format: Format = Field(Format.JSON, description="How values are written: json, json-schema, avro or protobuf")
    id_pointer: JsonPointer = Field("/id", description="JSON Pointer to the comment's id")
    id_kind: IdKind = Field(
        IdKind.STRING_OR_INTEGER,
        description="What the id is; none: the record's key, else topic-partition-offset, and the pointer is not read",
    )
    text_pointer: Annotated[tuple[JsonPointer, ...], NoDecode, BeforeValidator(_as_list)] = Field(
        ("/text",), min_length=1, description="JSON Pointer to the comment's text, a string, or an array of several"
    )
    text_separator: str = Field("\n", description="What is put between the texts of several pointers")
    text_format: TextFormat = Field(
        TextFormat.PLAIN, description="Of html and markdown only what a reader sees is scored (extra `markup`)"
    )
    where: Annotated[tuple[Condition, ...], NoDecode, BeforeValidator(from_json)] = Field(
        (),
        description="Conditions that a record must meet to be labelled, all of them; others are passed over. Each has "
        "a `pointer` and one of `equals`, `in` (a list) and `exists` (true or false)",
    )
    start: Start = Field(Start.EARLIEST, description="Where to read a partition without a committed offset")
    max_value_bytes: int = Field(
        1_048_576, ge=64, description="Larger values (bytes) are dead-lettered unread; Kafka's default topic limit"
    )

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics by name; none when they are named by a pattern."""
        return () if self.is_pattern else tuple(self.topic.split(","))

    @property
    def only_topic(self) -> str | None:
        """The topic, where it is one by name."""
        return self.topics[0] if len(self.topics) == 1 else None

    @property
    def is_pattern(self) -> bool:
        """Whether `topic` is a pattern."""
        return self.topic.startswith("^")

    def reads(self, topic: str) -> bool:
        """Whether a topic is among those that are read."""
        return bool(re.search(self.topic, topic)) if self.is_pattern else topic in self.topics

    @model_validator(mode="after")
    def _pointers_differ(self) -> "InputSettings":
        if len(set(self.text_pointer)) < len(self.text_pointer):
            message = "text_pointer names one place twice"
            raise ValueError(message)
        return self
