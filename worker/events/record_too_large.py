"""What becomes of an outcome whose record is larger than its topic takes."""

from worker.errors import Fatal
from worker.types import Outcome, Outgoing, Rejected, Stage


def dead_letter_of(outcome: Outcome, outgoing: Outgoing, dead_letter_topic: str) -> Rejected:
    """The rejection that takes the place of an outcome whose record is too large.

    Raises:
        Fatal: The record was a dead letter already; nothing smaller can take its place.
    """
    size = len(outgoing.value or b"")
    if outgoing.topic == dead_letter_topic:
        record = outcome.record
        message = (
            f"the dead letter of {record.topic()}/{record.partition()}/{record.offset()} ({size} bytes) is too large "
            f"for {dead_letter_topic}: raise max.message.bytes of that topic above that of the input topic (`sluice "
            "topics` sets it so), and message.max.bytes in kafka.properties if it is set. The record is not committed"
        )
        raise Fatal(message)
    reason = f"the label event has {size} bytes, more than {outgoing.topic} takes (max.message.bytes)"
    return Rejected(outcome.record, outcome.assignment, Stage.PRODUCE, "OutputTooLarge", reason)
