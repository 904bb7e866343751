"""The settings of batches and of their delivery."""

from enum import StrEnum

from pydantic import Field, model_validator

from worker.settings.fields import Seconds, Section


class Guarantee(StrEnum):
    """What happens to an event when a worker dies between publishing and committing."""

    AT_LEAST_ONCE = "at-least-once"
    EXACTLY_ONCE = "exactly-once"


class BatchSettings(Section):
    """When a micro-batch is ready. If the model is idle, what has arrived goes at once."""

    max_records: int = Field(256, ge=1, description="Records in one batch")
    linger_seconds: float = Field(0, ge=0, le=60, description="Wait for a fuller batch; starts at the first record")


class DeliverySettings(Section):
    """How outcomes are delivered and what bounds the worker's work in flight."""

    guarantee: Guarantee = Field(Guarantee.AT_LEAST_ONCE, description="at-least-once or exactly-once")
    drain_seconds: Seconds = Field(25, description="Shutdown: work in flight past this is dropped (exit 4)")
    revoke_seconds: Seconds = Field(20, description="Rebalance: work in flight past this is dropped, to be re-read")
    timeout_seconds: Seconds = Field(60, description="How long one event may take to be acknowledged")
    transaction_timeout_seconds: Seconds = Field(
        15, description="Exactly-once: the broker aborts a dead worker's transaction after this; readers wait so long"
    )
    max_in_flight_records: int = Field(2048, ge=1, description="Records polled but not yet settled")
    max_in_flight_bytes: int = Field(33_554_432, ge=1, description="Bytes of values polled but not yet settled")
    pause_after_seconds: Seconds = Field(
        5, description="Partitions are paused when the model has been behind this long; pausing drops the prefetch"
    )

    @model_validator(mode="after")
    def _a_drain_outlasts_a_transaction(self) -> "DeliverySettings":
        exactly_once = self.guarantee is Guarantee.EXACTLY_ONCE
        if exactly_once and self.drain_seconds <= self.transaction_timeout_seconds:
            message = (
                f"delivery.drain_seconds = {self.drain_seconds:g} must be longer than "
                f"delivery.transaction_timeout_seconds = {self.transaction_timeout_seconds:g}: a worker that stops may "
                "have to wait that long for the broker to end a dead worker's transaction"
            )
            raise ValueError(message)
        return self
