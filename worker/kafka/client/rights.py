"""The rights that a principal needs and how to grant them, as every message about a refusal names them."""

from typing import NamedTuple

from confluent_kafka import KafkaError

_GRANT = "kafka-acls --bootstrap-server BROKER --add --allow-principal User:NAME --operation {} --{} {}"


class Right(NamedTuple):
    """One operation on one resource, in Kafka's words.

    Attributes:
        operation: `Read`, `Write`, `Describe`, `DescribeConfigs`, `Create`, ...
        kind: `topic`, `group`, `transactional-id`, or `cluster`.
        name: Name of the resource; empty for the cluster.
    """

    operation: str
    kind: str
    name: str = ""

    def __str__(self) -> str:
        """For example `Read on topic comments`."""
        return f"{self.operation} on {self.kind} {self.name}".rstrip()

    @property
    def grant(self) -> str:
        """The command that grants this right."""
        return _GRANT.format(self.operation, self.kind, self.name).rstrip()


def lacking(right: Right) -> str:
    """Advice for a principal without this right."""
    return f"this principal lacks the right {right}: {right.grant}"


def right_to_read(error: KafkaError, topic: str, group: str) -> Right:
    """The right that a refused consumer lacks."""
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return Right("Read", "group", group)
    return Right("Read", "topic", topic)
