"""Recognises a log that has lost its end, as librdkafka reports it to a consumer that must not guess.

A new leader that lacks the last records (an unclean election, a broker restored from an older disk) ends the epoch of
the old leader earlier than the consumer has read (KIP-320). librdkafka asks for that end when the leader changes, and
after a seek (`worker.kafka.consumer.rebalances` seeks at each assignment). With `auto.offset.reset=error` its error
holds the offset at which the logs part only in its text; its interface has no request for it.
"""

import re
from typing import NamedTuple

from confluent_kafka import KafkaError

_SIGN = "log truncation detected"
_PLACES = re.compile(r"detected at offset (\d+) .*broker end offset is (\d+) ")


class Truncation(NamedTuple):
    """A log that has lost its end.

    Attributes:
        position: The offset that was read up to; None when not reported.
        cut: The first offset that holds another record than before, or none; None when not reported.
    """

    position: int | None = None
    cut: int | None = None


def truncation(error: KafkaError) -> Truncation | None:
    """The truncation that an error reports; None for every other error."""
    text = error.str()
    if error.code() != KafkaError._LOG_TRUNCATION and _SIGN not in text:  # noqa: SLF001 - the library's own name
        return None
    places = _PLACES.search(text)
    return Truncation(int(places[1]), int(places[2])) if places else Truncation()
