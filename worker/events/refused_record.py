"""What takes the place of a record that its topic refuses.

A label event becomes a dead letter. A dead letter that is refused for its timestamp, which is the rejected record's
own, goes with the time of now and the original in a header. For any other dead letter nothing can take its place.
"""

from enum import StrEnum
from typing import NamedTuple

from worker.errors import Fatal
from worker.events.dead_letter import with_time_of_now
from worker.protocols import Encode
from worker.types import Outcome, Outgoing, Rejected, Stage


class Refusal(StrEnum):
    """What a topic or its cluster has against one record; the dead letter's `exception.class.name`."""

    TOO_LARGE = "OutputTooLarge"
    INVALID_RECORD = "InvalidRecord"
    INVALID_TIMESTAMP = "InvalidTimestamp"
    POLICY_VIOLATION = "PolicyViolation"


_REASONS = {
    Refusal.TOO_LARGE: "the label event has {size} bytes, more than {topic} takes (max.message.bytes)",
    Refusal.INVALID_RECORD: (
        "{topic} does not take this label event (INVALID_RECORD): a compacted topic takes none without a key, and a "
        "broker may check a schema"
    ),
    Refusal.INVALID_TIMESTAMP: (
        "the label event's timestamp is outside what {topic} takes (message.timestamp.before.max.ms and "
        "message.timestamp.after.max.ms): the clocks of worker and broker differ"
    ),
    Refusal.POLICY_VIOLATION: "a policy of the cluster does not let this label event into {topic} (POLICY_VIOLATION)",
}
_ADVICE = {
    Refusal.TOO_LARGE: (
        "raise max.message.bytes of that topic above that of the input topic (`sluice topics` sets it so), and "
        "message.max.bytes in kafka.properties if it is set"
    ),
    Refusal.INVALID_RECORD: "a topic for dead letters must not be compacted (cleanup.policy) nor check a schema",
    Refusal.INVALID_TIMESTAMP: "set the clock of this machine: not even a letter with its time is taken",
    Refusal.POLICY_VIOLATION: "see which policy the cluster has for that topic",
}


class Form(NamedTuple):
    """What is produced for a record of the input.

    Attributes:
        outcome: The outcome, or the rejection in its place.
        now: With the time of now instead of the record's own.
    """

    outcome: Outcome
    now: bool = False

    def encoded(self, encode: Encode) -> Outgoing | None:
        """The record to produce; None for an outcome that publishes nothing."""
        outgoing = encode(self.outcome)
        return with_time_of_now(outgoing) if self.now and outgoing is not None else outgoing

    def after(self, refusal: Refusal, outgoing: Outgoing) -> "Form":
        """What takes the place of this form, which was refused as `outgoing`.

        Raises:
            Fatal: It was a dead letter, and nothing can take its place.
        """
        outcome, record = self.outcome, self.outcome.record
        size, topic = len(outgoing.value or b""), outgoing.topic
        if type(outcome) is not Rejected:
            reason = _REASONS[refusal].format(size=size, topic=topic)
            return Form(Rejected(record, outcome.assignment, Stage.PRODUCE, refusal.value, reason))
        if refusal is Refusal.INVALID_TIMESTAMP and not self.now:
            return Form(outcome, now=True)
        message = (
            f"the dead letter of {record.topic()}/{record.partition()}/{record.offset()} ({size} bytes) is refused by "
            f"{topic} ({refusal.value}): {_ADVICE[refusal]}. The record is not committed"
        )
        raise Fatal(message)
