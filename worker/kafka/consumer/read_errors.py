"""What it means when a consumer hands over an error in the place of a record."""

import logging

from confluent_kafka import KafkaError

from worker.errors import Fatal
from worker.kafka.client.error_codes import REFUSED, describe, refused

log = logging.getLogger(__name__)


def fault_of_reading(error: KafkaError, topic: str, partition: int | None) -> Exception | None:
    """The exception for an error that only a person can mend; one that passes is logged and gives None.

    Args:
        error: What came.
        topic: The input topic.
        partition: Where it came from; None for an error of the consumer as a whole.
    """
    code = error.code()
    if code == KafkaError._MAX_POLL_EXCEEDED:
        log.error(
            "the worker was put out of its group for not polling within max.poll.interval.ms; it joins again and "
            "reads on from the committed offsets. Give it a longer interval in kafka.properties or smaller batches"
        )
        return None
    if code in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        return Fatal(
            f"partition {partition} of {topic} has no offset to go on from ({describe(error)}) and input.start is "
            "error: set the group's offset with kafka-consumer-groups --reset-offsets, or input.start to earliest or "
            "latest"
        )
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        log.warning("topic %s does not exist; `sluice topics` creates it. The worker waits for it", topic)
        return None
    if code in REFUSED:
        return refused(error, f"to let the group read {topic}")
    if error.fatal() or code == KafkaError._FATAL:
        return Fatal(f"the consumer can't go on: {describe(error)}")
    log.warning("the consumer reports %s", describe(error))
    return None
