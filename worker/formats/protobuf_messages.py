"""Protobuf messages whose schemas are only known while the worker runs: comments, and the label event itself."""

from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToJson, ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from schemas.label import LabelEvent
from schemas.protobuf_schema import PACKAGE, file_descriptor
from worker.formats.framing import Framed

_FORMAT = "serialized"
"""Asks the registry for a Protobuf schema as a file descriptor, which needs no compiler."""


class ProtobufReader(ProtobufDeserializer):
    """Reads messages of any schema; confluent-kafka's deserializer alone reads those of one compiled class.

    Fields are called as in the `.proto`; those without a value are there with their default, as a reader of proto3
    sees them. The rest is Protobuf's own JSON mapping: 64-bit integers are strings, bytes are base64, timestamps are
    RFC 3339.
    """

    def __init__(self, client: SchemaRegistryClient, conf: dict[str, Any]) -> None:
        super().__init__(Empty, {**conf, "use.deprecated.format": False}, client)
        self._client = client
        self._classes: dict[tuple[Any, tuple[int, ...]], tuple[type[Message], DescriptorPool]] = {}

    def read(self, framed: Framed) -> bytes:
        """The message as JSON."""
        schema = framed.schema
        key = (schema.id or schema.guid, tuple(schema.message_indexes or ()))
        if (known := self._classes.get(key)) is None:
            known = self._classes[key] = self._message_class(framed)
        self._msg_class, pool = known
        message = self(framed.value, framed.context)
        text: str = MessageToJson(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
            indent=None,
            ensure_ascii=False,
            descriptor_pool=pool,
        )
        return text.encode()

    def _message_class(self, framed: Framed) -> tuple[type[Message], DescriptorPool]:
        identity = framed.schema
        schema = (
            self._client.get_schema_by_guid(str(identity.guid), _FORMAT)
            if identity.id is None
            else self._client.get_schema(identity.id, fmt=_FORMAT)
        )
        file, pool = self._get_parsed_schema(schema)
        described = self._get_message_desc(pool, pool.FindFileByName(file.name), identity.message_indexes or [0])
        return GetMessageClass(described), pool


def label_event_class() -> type[Message]:
    """The class of our label event's message."""
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(ParseDict(file_descriptor(LabelEvent), FileDescriptorProto()).SerializeToString())
    made: type[Message] = GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{LabelEvent.__name__}"))
    return made
