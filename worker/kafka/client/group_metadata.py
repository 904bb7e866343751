"""What librdkafka's group metadata, opaque bytes to its users, tells of the membership."""

import struct

from worker.errors import Fatal

_MAGIC = b"CGMDv2:"


def generation(metadata: bytes) -> int:
    """Generation of the group, or member epoch (KIP-848), that a consumer takes part in; negative before it is in.

    Brokers don't fence offsets that come with a negative one (kafka-flow#854), so the caller must.

    Raises:
        Fatal: The format is not the one known here.
    """
    if not metadata.startswith(_MAGIC):
        message = "librdkafka's group metadata has an unknown format: this confluent-kafka is too new for this worker"
        raise Fatal(message)
    (number,) = struct.unpack_from("=i", metadata, len(_MAGIC))
    return int(number)
