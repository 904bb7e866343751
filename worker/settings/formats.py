"""Settings of the formats of values, and of the schema registry that three of the formats need."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from worker.settings.fields import Seconds, Section


class Format(StrEnum):
    """How a record's value is written; all but `json` name their schema by its id in a schema registry."""

    JSON = "json"
    JSON_SCHEMA = "json-schema"
    AVRO = "avro"
    PROTOBUF = "protobuf"


class SubjectStrategy(StrEnum):
    """What a schema's subject is called: `topic` is the topic's name and `-value`, `record` the schema's own name."""

    TOPIC = "topic"
    RECORD = "record"
    TOPIC_RECORD = "topic-record"
    ASSOCIATED = "associated"


class SchemaIdPlace(StrEnum):
    """Where a label event names its schema: before the payload, or in the header `__value_schema_id` as a GUID."""

    VALUE = "value"
    HEADER = "header"


class RegistrySettings(Section):
    """The schema registry (Confluent's API), for formats other than json."""

    url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="Where it is, http(s)://host:port[/path]; several with commas",
    )
    username: str | None = Field(None, description="User name, or API key")
    password: str | None = Field(None, description="Password, or API secret")
    ca_location: Path | None = Field(None, description="PEM file or folder of the authorities of its certificate")
    certificate_location: Path | None = Field(None, description="PEM file of this client's certificate (mutual TLS)")
    key_location: Path | None = Field(None, description="PEM file of its private key; none: the certificate's file")
    properties: dict[str, Any] = Field(
        default_factory=dict,
        description="Further properties of confluent-kafka's SchemaRegistryClient (bearer.auth..., proxy, ...)",
    )
    subject_name_strategy: SubjectStrategy = Field(
        SubjectStrategy.TOPIC, description="topic, record, topic-record, or associated (asks the registry, else topic)"
    )
    register_schemas: bool = Field(
        True, description="Register the label event's schema at the start; false: it must be registered already"
    )
    schema_id_in: SchemaIdPlace = Field(
        SchemaIdPlace.VALUE,
        description="Where a label event names its schema: value (five bytes before the payload), or header (a GUID; "
        "needs a registry that gives one, such as Confluent's since 8.0)",
    )
    request_seconds: Seconds = Field(5, description="How long one request may take")
    no_registry_seconds: Seconds = Field(
        60, description="Exit 3 after this long without an answer from the registry while one is needed"
    )

    @field_validator("url")
    @classmethod
    def _url_holds_no_password(cls, url: str | None) -> str | None:
        if url is not None and "@" in url:
            message = "write the user and password as registry.username and registry.password: a URL is logged"
            raise ValueError(message)
        return url

    @model_validator(mode="after")
    def _credentials_are_whole(self) -> "RegistrySettings":
        if (self.username is None) != (self.password is None):
            message = "registry.username and registry.password belong together: give both or none"
            raise ValueError(message)
        if self.key_location is not None and self.certificate_location is None:
            message = "registry.key_location needs registry.certificate_location"
            raise ValueError(message)
        return self
