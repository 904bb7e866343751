"""The deterministic id of a label event."""

from hashlib import sha1
from struct import Struct
from uuid import UUID

NAMESPACE = UUID("6f0a5b1e-51c6-5d3c-9d0f-2f4f3a5f7d11")
"""Name space of Sluice's event ids; it never changes."""

_NAMESPACE_BYTES = NAMESPACE.bytes
_VARIANT = {b"%x" % digit: b"89ab"[digit & 3 : (digit & 3) + 1] for digit in range(16)}
_HEX_FIELDS = Struct("8s4sx3sc3s12s8x")
"""The digits of a SHA-1 that a UUID keeps, by field; version and variant take the place of the two between them."""


def event_id(
    topic: str,
    partition: int,
    offset: int,
    model_digest: str,
    threshold_set: str,
    topic_id: str = "",
    view: str | None = None,
) -> str:
    """Id of the label event of one record, scored by one model under one threshold set, with or without a second view.

    A record that is delivered again gets the same id, so a reader that drops ids it has seen has each event once
    (at-least-once becomes effectively once). Scoring again with another model, threshold set or view is another event.

    An offset means something in one log only: a topic that is deleted and created again has other records under the
    same offsets. So the topic's id (KIP-516) takes part, where the broker gives one.

    Args:
        topic: Name of the record's topic.
        partition: Its partition.
        offset: Its offset.
        model_digest: Of the model that scored it.
        threshold_set: Name of the threshold set.
        topic_id: Id of the topic as the broker writes it; empty when it gives none (before Kafka 2.8).
        view: Name and version of the second reading; None when texts are scored as they are written only.

    Returns:
        UUID version 5 (RFC 9562) of `topic/topic_id/partition/offset/model_digest/threshold_set/view` in `NAMESPACE`,
        without `topic_id/` where there is none and without `/view` where there is none, as `uuid.uuid5` would give;
        computed here without the cost of a UUID object, one for each record.
    """
    ids = EventIds(log_name(topic, topic_id), model_digest, scoring_name(threshold_set, view))
    return ids.of(partition, offset).decode()


def log_name(topic: str, topic_id: str) -> str:
    """The first part of an event id's name: what tells one log from another."""
    return f"{topic}/{topic_id}" if topic_id else topic


def scoring_name(threshold_set: str, view: str | None) -> str:
    """The last part of an event id's name: what, beside the model, its scores and labels depend on."""
    return threshold_set if view is None else f"{threshold_set}/{view}"


class EventIds:
    """As `event_id`, for many records of one log, scored in one way: what they share is prepared once.

    Args:
        log: As `log_name` gives it.
        model_digest: Of the model that scores them.
        scoring: As `scoring_name` gives it.
    """

    def __init__(self, log: str, model_digest: str, scoring: str) -> None:
        self._begun = sha1(_NAMESPACE_BYTES + f"{log}/".encode(), usedforsecurity=False)
        self._end = f"/{model_digest}/{scoring}".encode()

    def of(self, partition: int, offset: int) -> bytes:
        """The id of the event of one record, as ASCII."""
        digest = self._begun.copy()
        digest.update(b"%d/%d%b" % (partition, offset, self._end))
        low, middle, high, variant, sequence, node = _HEX_FIELDS.unpack(digest.hexdigest().encode())
        return b"%b-%b-5%b-%b%b-%b" % (low, middle, high, _VARIANT[variant], sequence, node)
