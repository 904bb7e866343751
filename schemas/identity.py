"""The deterministic id of a label event."""

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6f0a5b1e-51c6-5d3c-9d0f-2f4f3a5f7d11")
"""Name space of Sluice's event ids; it never changes."""

_NAMESPACE_BYTES = NAMESPACE.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def event_id(topic: str, partition: int, offset: int, model_digest: str, threshold_set: str) -> str:
    """Id of the label event of one record, scored by one model under one threshold set.

    A record that is delivered again gets the same id, so a reader that drops ids it has seen has each event once
    (at-least-once becomes effectively once). Scoring again with another model or threshold set is another event.

    Returns:
        UUID version 5 (RFC 9562) of `topic/partition/offset/model_digest/threshold_set` in `NAMESPACE`, as
        `uuid.uuid5` would give; computed here without the cost of a UUID object, one for each record.
    """
    name = f"{topic}/{partition}/{offset}/{model_digest}/{threshold_set}"
    digest = sha1(_NAMESPACE_BYTES + name.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"
