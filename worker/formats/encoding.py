"""Encodes outcomes where a topic has a schema registry's format: around the encoder of JSON events."""

from collections.abc import Callable

from confluent_kafka.serialization import SerializationContext

from worker.formats.converted_record import ConvertedRecord
from worker.formats.framing import context_of
from worker.protocols import Encode
from worker.settings import Format
from worker.types import Outcome, Outgoing, Rejected

_CONTENT_TYPE = "content-type"
_CONTENT_TYPES = {
    Format.AVRO: b"application/avro",
    Format.PROTOBUF: b"application/protobuf",
    Format.JSON_SCHEMA: b"application/json",
}


def format_encoder(
    encode: Encode, kind: Format, write: Callable[[bytes, SerializationContext], bytes] | None
) -> Encode:
    """Wraps `encode`: dead letters get the bytes their record came with, label events are written by `write`.

    Args:
        encode: The encoder of JSON events.
        kind: The output's format.
        write: Writes it; None for json.
    """

    def encode_in_format(outcome: Outcome) -> Outgoing | None:
        record = outcome.record
        if isinstance(outcome, Rejected):
            return encode(outcome._replace(record=record.original) if isinstance(record, ConvertedRecord) else outcome)
        outgoing = encode(outcome)
        if write is None or outgoing is None or outgoing.value is None:
            return outgoing  # a tombstone has no value in any format
        kept = [header for header in outgoing.headers if header[0] != _CONTENT_TYPE]
        context = context_of(outgoing.topic, [*kept, (_CONTENT_TYPE, _CONTENT_TYPES[kind])])
        value = write(outgoing.value, context)
        return outgoing._replace(value=value, headers=context.headers)  # type: ignore[arg-type] # the list it was given

    return encode_in_format
