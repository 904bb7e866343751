"""Records as any client may write them: header names of any bytes, which confluent-kafka's own producer can't send.

Through librdkafka itself (ctypes), on the handle of an ordinary `Producer`.
"""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import confluent_kafka
from confluent_kafka import Producer

_PRODUCE_KEYS = {"end": 0, "topic": 1, "partition": 3, "value": 4, "key": 5, "timestamp": 8, "headers": 10}
"""`rd_kafka_vtype_t` of rdkafka.h."""


class RawRecord(NamedTuple):
    """A record to write; no name, value or time is too strange for it."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    timestamp: int = 0


class _Field(ctypes.Union):
    _fields_ = (
        ("text", ctypes.c_char_p),
        ("number32", ctypes.c_int32),
        ("number64", ctypes.c_int64),
        ("pointer", ctypes.c_void_p),
        (
            "memory",
            type("Memory", (ctypes.Structure,), {"_fields_": [("at", ctypes.c_char_p), ("size", ctypes.c_size_t)]}),
        ),
        ("room", ctypes.c_char * 64),
    )


class _Argument(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int), ("field", _Field))


def produce_raw(servers: str, topic: str, records: Sequence[RawRecord], partition: int = 0) -> None:
    """Write the records, in order, and wait until they are acknowledged."""
    producer = Producer({"bootstrap.servers": servers, "log_level": 0, "linger.ms": 0})
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    library.rd_kafka_headers_new.restype = ctypes.c_void_p
    library.rd_kafka_headers_new.argtypes = [ctypes.c_size_t]
    library.rd_kafka_header_add.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_char_p, ctypes.c_ssize_t,
    ]  # fmt: skip
    library.rd_kafka_produceva.restype = ctypes.c_void_p
    library.rd_kafka_produceva.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Argument), ctypes.c_size_t]
    # The first field of confluent-kafka's object is librdkafka's handle.
    handle = ctypes.c_void_p.from_address(id(producer) + object.__basicsize__)
    for record in records:
        arguments = _arguments(library, topic, partition, record)
        error = library.rd_kafka_produceva(handle, (_Argument * len(arguments))(*arguments), len(arguments))
        assert not error, "librdkafka refused the record"
        producer.poll(0)
    assert producer.flush(30) == 0


def _arguments(library: Any, topic: str, partition: int, record: RawRecord) -> list[_Argument]:
    headers = library.rd_kafka_headers_new(len(record.headers))
    for name, value in record.headers:
        size = -1 if value is None else len(value)
        assert library.rd_kafka_header_add(headers, name, len(name), value, size if value is not None else 0) == 0
    arguments = [
        _Argument(_PRODUCE_KEYS[kind]) for kind in ("topic", "partition", "value", "key", "timestamp", "headers")
    ]
    named, numbered, value, key, time, headed = (argument.field for argument in arguments)
    named.text = topic.encode()
    numbered.number32 = partition
    for part, content in ((value, record.value), (key, record.key)):
        part.memory.at, part.memory.size = content, len(content or b"")
    time.number64 = record.timestamp
    headed.pointer = headers
    return arguments
