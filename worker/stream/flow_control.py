"""Backpressure: bounds what is polled but not yet settled, and says when partitions are worth pausing.

A pause throws the prefetched records away (librdkafka#5343), so it is the last resort: until the model has been behind
for seconds the loop just does not poll, and the group's heartbeats come from librdkafka's own thread.
"""

from worker.settings import BatchSettings, DeliverySettings


class FlowControl:
    """Counts records and bytes in flight; owned by the poll thread.

    Attributes:
        records: Records polled and not yet settled.
        value_bytes: Bytes of their values.
        has_room: What the last call of `room` found.
        paused: True from `should_pause` giving True until `should_resume` does.
    """

    def __init__(self, delivery: DeliverySettings, batch: BatchSettings) -> None:
        self._max_records = delivery.max_in_flight_records
        self._max_bytes = delivery.max_in_flight_bytes
        self._batch_records = batch.max_records
        self._pause_after_seconds = delivery.pause_after_seconds
        self._behind_since: float | None = None
        self.records = 0
        self.value_bytes = 0
        self.has_room = True
        self.paused = False

    def acquire(self, records: int, value_bytes: int) -> None:
        """Records were polled."""
        self.records += records
        self.value_bytes += value_bytes

    def release(self, records: int, value_bytes: int) -> None:
        """Records were settled or dropped."""
        self.records -= records
        self.value_bytes -= value_bytes

    def room(self, now: float, *, model_is_full: bool) -> int:
        """How many records may be polled, at most a batch; 0 while the model is behind.

        With a full batch waiting for the model nothing is gained by more, and a rebalance would have more to finish.
        """
        room = min(self._batch_records, self._max_records - self.records)
        self.has_room = room > 0 and self.value_bytes < self._max_bytes and not model_is_full
        if self.has_room:
            self._behind_since = None
            return room
        if self._behind_since is None:
            self._behind_since = now
        return 0

    def should_pause(self, now: float) -> bool:
        """True once, when there has been no room for `delivery.pause_after_seconds`."""
        if self.paused or self._behind_since is None or now - self._behind_since < self._pause_after_seconds:
            return False
        self.paused = True
        return True

    def should_resume(self, *, model_is_full: bool) -> bool:
        """True once, when the model can take more and a pause has let what is in flight fall to half its bounds."""
        if not self.paused or model_is_full:
            return False
        if self.records > self._max_records // 2 or self.value_bytes > self._max_bytes // 2:
            return False
        self.paused = False
        self._behind_since = None
        return True
