"""From a deletion to the tombstone of its label event: the same key and no value, so that compaction removes both."""

from worker.events.headers import headers_of
from worker.events.trace_context import trace_headers
from worker.types import Outgoing, Skipped

_NOW = 0


class TombstoneEncoder:
    """Encodes the deletions that are forwarded.

    Args:
        topic: The output topic.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def encode(self, outcome: Skipped) -> Outgoing | None:
        """The record to produce, with the deletion's trace; None for what is passed over."""
        if not outcome.forwarded:
            return None
        record = outcome.record
        headers: list[tuple[str, bytes | None]] = [*trace_headers(headers_of(record))]
        return Outgoing(self._topic, record.key(), None, headers, _NOW)
