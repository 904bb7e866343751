"""Makes a client's librdkafka instance fail fatally, through the library's own test hook."""

import ctypes
from typing import Any

import confluent_kafka


def make_fatal(client: Any, code: int) -> None:
    """Raise a fatal error with this code inside a real `Producer` or `Consumer` (rd_kafka_test_fatal_error)."""
    library = ctypes.CDLL(confluent_kafka.cimpl.__file__)
    library.rd_kafka_test_fatal_error.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p]
    # The first field of confluent-kafka's object is librdkafka's handle.
    handle = ctypes.c_void_p.from_address(id(client) + object.__basicsize__)
    assert library.rd_kafka_test_fatal_error(handle, code, b"made by a test") == 0
