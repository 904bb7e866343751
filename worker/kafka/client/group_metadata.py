"""Reads the membership from librdkafka's group metadata, which is opaque bytes to its users."""

import struct

from worker.errors import Fatal

_MAGIC = b"CGMDv2:"


def generation(metadata: bytes) -> int:
    """The group generation, or member epoch (KIP-848), that a consumer belongs to; negative before it has joined.

    Brokers don't fence offsets sent with a negative one (kafka-flow#854), so the caller must.

    Raises:
        Fatal: The metadata has an unknown format.
    """
    if not metadata.startswith(_MAGIC):
        message = "librdkafka's group metadata has an unknown format: this confluent-kafka is too new for this worker"
        raise Fatal(message)
    (number,) = struct.unpack_from("=i", metadata, len(_MAGIC))
    return int(number)
