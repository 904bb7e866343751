"""What Kafka's error codes mean to the worker.

The classes follow KIP-447 and librdkafka's own manual: records whose ownership is lost are dropped and read again by
the new owner, a refused authorization needs a person to fix it, and any other error that is not fatal is transient.
"""

import re
from collections.abc import Iterable
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
"""The coordinator does not accept this member: the group is rebalancing, or has rebalanced. With some codes this may
pass: see `EPOCH_BEHIND` and `BETWEEN_GENERATIONS`."""

EPOCH_BEHIND: Final = KafkaError.STALE_MEMBER_EPOCH
"""May be transient: the next heartbeat's response brings the epoch, and a member still owns what it has not yet given
back (KIP-848). A plain commit is retried; a transaction's offsets can't be, as its producer has treated the error as
final."""

BETWEEN_GENERATIONS: Final = frozenset({KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS})
"""Transient for a member that the group has not put out (that would be UNKNOWN_MEMBER_ID): between the moment at which
all members have joined and the one at which each has its assignment, a coordinator of classic groups takes no commits,
not even for partitions that stay with their owner (KIP-429). A plain commit is retried for a second."""

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
"""The broker knows who is asking and refuses: retrying does not help."""

_UNKNOWN_PRINCIPAL: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED})

_NO_TOKEN = re.compile(r"OAUTHBEARER token: (.*)", re.DOTALL)
_ENDPOINT_REFUSED = re.compile(r'"error"\s*:\s*"(\w+)"')
"""The error in a token endpoint's answer (RFC 6749, 5.2); a connection that fails has none."""

_NOT_TRUSTED = "certificate verify failed"
"""OpenSSL's wording; librdkafka has one code for everything that can go wrong with TLS, most of it transient."""

TOO_LARGE: Final = KafkaError.MSG_SIZE_TOO_LARGE


def error_of(exception: KafkaException) -> KafkaError:
    """The error inside an exception."""
    error: KafkaError = exception.args[0]
    return error


def known_cause(error: KafkaError, codes: Iterable[int]) -> int:
    """The code of an error, or of what caused a fatal one if it is among these.

    librdkafka reports what a group's heartbeat meets (KIP-848) under its own code `_FATAL`, the cause in words only:
    "Fatal error: Broker: Group authorization failed: ConsumerGroupHeartbeat ...".
    """
    code: int = error.code()
    if code != KafkaError._FATAL:
        return code
    said = error.str()
    return next((cause for cause in codes if KafkaError(cause).str() in said), code)


def describe(error: KafkaError) -> str:
    """An error's name and message, for example `UNKNOWN_MEMBER_ID: Broker: Unknown member`."""
    return f"{error.name()}: {error.str()}"


def refused(error: KafkaError, to_do: str, right: Right | None = None) -> Fatal:
    """The exception for a code in `REFUSED`; `to_do` says what was refused, and `right` which right it needs."""
    advice = "check the credentials in kafka.properties and the access rights of this principal"
    if right is not None and known_cause(error, REFUSED) not in _UNKNOWN_PRINCIPAL:
        advice = lacking(right)
    return Fatal(f"the broker refused {to_do} ({describe(error)}): {advice}")


def refused_connection(error: KafkaError) -> Fatal | None:
    """The exception for a connection error that no retry fixes; None for one that may be transient."""
    if (token := _NO_TOKEN.search(error.str())) is not None:
        return _refused_token(token[1])
    if error.code() in REFUSED:
        return refused(error, "the connection")
    if error.code() == KafkaError._SSL and _NOT_TRUSTED in error.str():
        return Fatal(
            f"the broker's certificate can't be verified ({describe(error)}): set ssl.ca.location in kafka.properties "
            "to the certificate of the authority that signed it, and connect by a name that it holds"
        )
    return None


def _refused_token(why: str) -> Fatal | None:
    """The exception for a token endpoint that refuses; None for one that does not answer, or not as it should."""
    refusal = _ENDPOINT_REFUSED.search(why)
    if refusal is None:
        return None
    return Fatal(
        f"the token endpoint refused this client ({refusal[1]}): check sasl.oauthbearer.client.id, "
        "sasl.oauthbearer.client.secret and sasl.oauthbearer.scope in kafka.properties"
    )
