"""The rights that a principal needs and how to grant them, as every message about a refusal names them."""

from typing import NamedTuple

from confluent_kafka import KafkaError

from worker.settings import Settings

_GRANT = "kafka-acls --bootstrap-server BROKER --add --allow-principal User:NAME --operation {} --{} {}"
_PREFIXED = " --resource-pattern-type prefixed"


class Right(NamedTuple):
    """One operation on one resource, in Kafka's words.

    Attributes:
        operation: `Read`, `Write`, `Describe`, `DescribeConfigs`, `Create`, ...
        kind: `topic`, `group`, `transactional-id`, or `cluster`.
        name: Name of the resource; empty for the cluster.
        prefixed: Whether it is the beginning of many names.
    """

    operation: str
    kind: str
    name: str = ""
    prefixed: bool = False

    def __str__(self) -> str:
        """For example `Read on topic comments`."""
        return f"{self.operation} on {self.kind} {self.name}".rstrip() + ("*" if self.prefixed else "")

    @property
    def grant(self) -> str:
        """The command that grants this right."""
        return _GRANT.format(self.operation, self.kind, self.name).rstrip() + (_PREFIXED if self.prefixed else "")


def lacking(right: Right) -> str:
    """Advice for a principal without this right."""
    return f"this principal lacks the right {right}: {right.grant}"


def right_to_read(code: int, topic: str, group: str) -> Right:
    """The right that a consumer lacks that was refused with this code."""
    if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return Right("Read", "group", group)
    return Right("Read", "topic", topic)


def transactional_prefix(settings: Settings) -> str:
    """The beginning of the transactional ids of a worker's processes; each process adds something of its own."""
    return f"{settings.kafka.client_id}-{settings.kafka.group_id}-"


def right_to_transactions(error: KafkaError, settings: Settings) -> Right:
    """The right that a refused transactional producer lacks."""
    if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        return Right("Write", "transactional-id", transactional_prefix(settings), prefixed=True)
    if error.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:
        return Right("IdempotentWrite", "cluster")  # brokers before 2.8 ask for it
    return right_to_read(error.code(), settings.input.topic, settings.kafka.group_id)
