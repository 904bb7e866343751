"""Backpressure: bounds what is polled but not yet settled, and says when partitions are worth pausing.

A pause throws the prefetched records away (librdkafka#5343), so it is the last resort: until the model has been behind
for seconds the loop just does not poll, and the group's heartbeats come from librdkafka's own thread.
"""

from worker.settings import BatchSettings, DeliverySettings


class FlowControl:
    """Counts records and bytes in flight; owned by the poll thread.

    `look` notes how things stand; the questions (`room`, `should_pause`, `may_resume`) change nothing.

    Attributes:
        records: Records polled and not yet settled.
        value_bytes: Bytes of their values.
        room: How many records might be polled at the last look, at most a batch; 0 while the model is behind.
        should_pause: Whether, at the last look, there had been no room for `delivery.pause_after_seconds`.
        paused: From `pause` to `resume`.
    """

    def __init__(self, delivery: DeliverySettings, batch: BatchSettings) -> None:
        self._max_records = delivery.max_in_flight_records
        self._max_bytes = delivery.max_in_flight_bytes
        self._batch_records = batch.max_records
        self._pause_after_seconds = delivery.pause_after_seconds
        self._behind_since: float | None = None
        self.records = 0
        self.value_bytes = 0
        self.room = self._batch_records
        self.should_pause = False
        self.paused = False

    def acquire(self, records: int, value_bytes: int) -> None:
        """Records were polled."""
        self.records += records
        self.value_bytes += value_bytes

    def release(self, records: int, value_bytes: int) -> None:
        """Records were settled or dropped."""
        self.records -= records
        self.value_bytes -= value_bytes

    def look(self, now: float, *, model_is_full: bool) -> None:
        """Note how much room there is now.

        With a full batch waiting for the model nothing is gained by more, and a rebalance would have more to finish.
        """
        room = min(self._batch_records, self._max_records - self.records)
        if room > 0 and self.value_bytes < self._max_bytes and not model_is_full:
            self.room = room
            self._behind_since = None
            self.should_pause = False
            return
        self.room = 0
        if self._behind_since is None:
            self._behind_since = now
        self.should_pause = not self.paused and now - self._behind_since >= self._pause_after_seconds

    def may_resume(self, *, model_is_full: bool) -> bool:
        """True when the model can take more and a pause has let what is in flight fall to half its bounds."""
        return (
            self.paused
            and not model_is_full
            and self.records <= self._max_records // 2
            and self.value_bytes <= self._max_bytes // 2
        )

    def pause(self) -> None:
        """The partitions are paused."""
        self.paused = True
        self.should_pause = False

    def resume(self) -> None:
        """They are read again; the seconds of the next pause count from here."""
        self.paused = False
        self._behind_since = None
