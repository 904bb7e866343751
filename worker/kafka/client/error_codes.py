"""What Kafka's error codes mean to the worker.

The classes follow KIP-447 and librdkafka's own manual: ownership lost is dropped and read again by the new owner, an
authorization refused is for a person to mend, everything else that is not fatal passes.
"""

from typing import Final

from confluent_kafka import KafkaError, KafkaException

from worker.errors import Fatal
from worker.kafka.client.rights import Right, lacking

OWNERSHIP_LOST: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError._ASSIGNMENT_LOST,
    }
)
"""The coordinator no longer takes this member at its word; the group is being, or has been, divided anew."""

EPOCH_BEHIND: Final = KafkaError.STALE_MEMBER_EPOCH
"""Of those, the one that may pass: the next heartbeat's answer brings the epoch, and what a member has not yet given
back is still its own (KIP-848). A plain commit is made again; a transaction's offsets can't be, for its producer has
taken the error for the end."""

REFUSED: Final = frozenset(
    {
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
    }
)
"""The broker knows who asks and says no: no retry helps."""

_NOT_TRUSTED = "certificate verify failed"
"""OpenSSL's words; librdkafka has one code for all that can go wrong with TLS, most of which passes."""

TOO_LARGE: Final = KafkaError.MSG_SIZE_TOO_LARGE


def error_of(fault: KafkaException) -> KafkaError:
    """The error inside an exception."""
    error: KafkaError = fault.args[0]
    return error


def describe(error: KafkaError) -> str:
    """Name and words of an error, as `UNKNOWN_MEMBER_ID: Broker: Unknown member`."""
    return f"{error.name()}: {error.str()}"


def refused(error: KafkaError, to_do: str, right: Right | None = None) -> Fatal:
    """The exception for a code in `REFUSED`; `to_do` says what was being done, and `right` what that needs."""
    advice = "check the credentials in kafka.properties and the access rights of this principal"
    if right is not None and error.code() not in (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED):
        advice = lacking(right)
    return Fatal(f"the broker refused {to_do} ({describe(error)}): {advice}")


def refused_connection(error: KafkaError) -> Fatal | None:
    """The exception for an error of a connection that no retry mends; None for one that may pass."""
    if error.code() in REFUSED:
        return refused(error, "the connection")
    if error.code() == KafkaError._SSL and _NOT_TRUSTED in error.str():
        return Fatal(
            f"the broker's certificate can't be verified ({describe(error)}): set ssl.ca.location in kafka.properties "
            "to the certificate of the authority that signed it, and connect by a name that it holds"
        )
    return None
