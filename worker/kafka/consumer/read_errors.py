"""How to handle an error that the consumer returns instead of a record."""

import logging

from confluent_kafka import KafkaError

from worker.errors import Fatal
from worker.kafka.client.error_codes import REFUSED, describe, known_cause, refused
from worker.kafka.client.repeated_lines import RepeatedLines
from worker.kafka.client.rights import right_to_read

log = logging.getLogger(__name__)
log.addFilter(RepeatedLines())

NO_TOPIC = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNKNOWN_TOPIC_ID,
        KafkaError.INCONSISTENT_TOPIC_ID,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - the names of librdkafka's own errors
    }
)
"""Signs that the topic, or one of its partitions, does not exist or has been replaced."""


_ADVICE = {
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: ". The group's members use another group protocol or assignment strategy: "
    "stop the older consumers of this group, or choose another group with kafka.group_id",
    KafkaError.UNRELEASED_INSTANCE_ID: ". Another live member has the same group.instance.id: give each worker its "
    "own, or none, in kafka.properties",
    KafkaError.FENCED_INSTANCE_ID: ". Another member has taken over this group.instance.id: give each worker its own, "
    "or none, in kafka.properties",
    KafkaError.GROUP_MAX_SIZE_REACHED: ". The group has as many members as the brokers allow (group.max.size)",
    KafkaError.UNSUPPORTED_VERSION: ". kafka.group_protocol = consumer needs Kafka 4.0; classic does not",
}
"""What to do about a group that does not accept the worker."""

_MEMBERSHIP_LOST = f"{KafkaError(KafkaError.INVALID_REQUEST).str()}: ConsumerGroupHeartbeat"
"""What librdkafka says when a broker does not understand how it joins again (KIP-848). It sends half a request after a
leave that its coordinator did not hear of (librdkafka#5541; 2.16.0 closes one way into it, not all), and its consumer
is unusable from then on."""

_START_AGAIN = (
    ". The client library lost its membership of the group: start the worker again. Nothing is lost, it resumes from "
    "the committed offsets. If it ends the same way at once, report it"
)

_KNOWN = (*REFUSED, *_ADVICE)
"""Codes that have advice, of an error or of what made it fatal."""


def fault_of_reading(error: KafkaError, topic: str, group: str) -> Exception | None:
    """Return the exception for an error that only a person can fix; log a transient one and return None.

    Args:
        error: The error returned by the consumer.
        topic: The input topic.
        group: The consumer group.
    """
    code = known_cause(error, _KNOWN)
    if code == KafkaError._MAX_POLL_EXCEEDED:
        log.error(
            "the worker was removed from its consumer group for not polling within max.poll.interval.ms; it rejoins "
            "and resumes from the committed offsets. Set a longer interval in kafka.properties or use smaller batches"
        )
        return None
    if code in NO_TOPIC:
        return None  # `TopicWatch` reports it, once
    if code in REFUSED:
        return refused(error, f"to let the group {group} read {topic}", right_to_read(code, topic, group))
    what = describe(error) + _ADVICE.get(code, "")
    if error.fatal() or error.code() == KafkaError._FATAL:
        what += _START_AGAIN if _MEMBERSHIP_LOST in error.str() else ""
        return Fatal(f"the consumer can't continue: {what}")
    log.warning("the consumer reports %s", what)
    return None
