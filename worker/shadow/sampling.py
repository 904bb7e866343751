"""Which label events are compared: decided by the record's place, so that a replay and another worker choose alike."""

from hashlib import blake2b

from schemas.identity import log_name
from worker.types import Labelled

_DIGITS = 8
_RANGE = 1 << (8 * _DIGITS)


class Sampling:
    """Chooses a share of the records.

    The hash is over what the event's id names of the record (log, partition, offset) and nothing of the model: a
    change of the model leaves the sample as it is. It is a hash because every tenth offset might be every post of one
    author.

    Args:
        share: Above 0, at most 1.
    """

    def __init__(self, share: float) -> None:
        self._below = int(share * _RANGE)

    def chooses(self, outcome: Labelled) -> bool:
        """Whether this record is in the sample."""
        record, assignment = outcome.record, outcome.assignment
        place = f"{log_name(assignment.topic, assignment.topic_id)}/{record.partition()}/{record.offset()}"
        found = blake2b(place.encode(), digest_size=_DIGITS).digest()
        return int.from_bytes(found, "big") < self._below
