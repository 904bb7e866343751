"""What replaces a record that its topic refuses.

A label event becomes a dead letter. A dead letter that is refused for its timestamp, which is the rejected record's
own, is sent with the current time, and a header keeps the original. Nothing can replace any other dead letter.
"""

from enum import StrEnum
from typing import NamedTuple

from worker.errors import Fatal
from worker.events.dead_letter import with_time_of_now
from worker.protocols import Encode
from worker.types import Outcome, Outgoing, Rejected, Stage


class Refusal(StrEnum):
    """Why a topic or its cluster refuses a record; the dead letter's `exception.class.name`."""

    TOO_LARGE = "OutputTooLarge"
    INVALID_RECORD = "InvalidRecord"
    INVALID_TIMESTAMP = "InvalidTimestamp"
    POLICY_VIOLATION = "PolicyViolation"


_REASONS = {
    Refusal.TOO_LARGE: "the label event has {size} bytes, more than {topic} accepts (max.message.bytes)",
    Refusal.INVALID_RECORD: (
        "{topic} does not accept this label event (INVALID_RECORD): a compacted topic accepts no record without a key, "
        "and a broker may check a schema"
    ),
    Refusal.INVALID_TIMESTAMP: (
        "the label event's timestamp is outside what {topic} accepts (message.timestamp.before.max.ms and "
        "message.timestamp.after.max.ms): the clocks of worker and broker differ"
    ),
    Refusal.POLICY_VIOLATION: "a policy of the cluster keeps this label event out of {topic} (POLICY_VIOLATION)",
}
_ADVICE = {
    Refusal.TOO_LARGE: (
        "raise max.message.bytes of that topic above that of the input topic (`sluice topics` sets it so), and "
        "message.max.bytes in kafka.properties if it is set"
    ),
    Refusal.INVALID_RECORD: "a topic for dead letters must not be compacted (cleanup.policy) or check a schema",
    Refusal.INVALID_TIMESTAMP: "set the clock of this machine: even a dead letter with the current time is refused",
    Refusal.POLICY_VIOLATION: "check which policy the cluster applies to that topic",
}


class Form(NamedTuple):
    """What is produced for an input record.

    Attributes:
        outcome: The outcome, or the rejection that replaces it.
        now: Whether it carries the current time instead of the record's own.
    """

    outcome: Outcome
    now: bool = False

    def encoded(self, encode: Encode) -> Outgoing | None:
        """The record to produce; None for an outcome that publishes nothing."""
        outgoing = encode(self.outcome)
        return with_time_of_now(outgoing) if self.now and outgoing is not None else outgoing

    def after(self, refusal: Refusal, outgoing: Outgoing) -> "Form":
        """What replaces this form, which was refused as `outgoing`.

        Raises:
            Fatal: It was a dead letter, and nothing can replace it.
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
