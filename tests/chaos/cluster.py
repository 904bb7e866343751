"""The three brokers of a run: workers log in, so that a right can be withdrawn; each log lies on a disk of its own."""

import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from testkit.kafka import Kafka, admin_client
from tests.chaos.disks import Disk, can_mount

NODES = 3
_USER = "sluice"
_ANSWER_SECONDS = 70.0
_PATIENCE_SECONDS = 240.0
_PASSING = frozenset(
    {
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.INVALID_REPLICATION_FACTOR,  # a broker is not registered yet
        KafkaError.UNKNOWN_TOPIC_OR_PART,  # likewise not known to the broker that was asked
    }
)
_GUARDED = (ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID)


class Cluster:
    """A context manager.

    Attributes:
        kafka: The brokers; `bootstrap_servers` lets the run itself do everything.
        disks: Where each broker's log lies, in the brokers' order; empty if this process may not mount a file system.
        worker_servers: The addresses that require a worker to log in.
        worker_properties: The `kafka.properties` of a worker.
    """

    def __init__(self, home: Path) -> None:
        password = secrets.token_hex(16)
        login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{_USER}="{password}";'
        self.kafka = Kafka(
            home,
            NODES,
            {
                # The listeners keep their names, and a run is spared the cost of TLS.
                "listener.security.protocol.map": (
                    "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_PLAINTEXT,MUTUAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
                ),
                "sasl.enabled.mechanisms": "PLAIN",
                "listener.name.sasl_ssl.plain.sasl.jaas.config": login,
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
            },
            secured=True,
        )
        self.disks: list[Disk] = []
        self.worker_servers = self.kafka.secured_servers
        self.worker_properties = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": _USER,
            "sasl.password": password,
        }

    def ask(
        self, question: Callable[[AdminClient], Mapping[Any, Future[Any]]], done_already: int | None = None
    ) -> list[Any]:
        """Ask as an administrator, again and again until every answer is there: leaders and controllers move.

        Args:
            question: Must be harmless to repeat; each time it gets a new client, as librdkafka keeps what it learnt.
            done_already: The error that says that an earlier attempt, whose answer was lost, has done it.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            admin = admin_client(self.kafka.bootstrap_servers)
            try:
                return [answer.result(_ANSWER_SECONDS) for answer in question(admin).values()]
            except KafkaException as exception:
                code = exception.args[0].code()
                if code == done_already:
                    return []
                if code not in _PASSING or time.monotonic() > deadline:
                    raise

    def withdraw(self, operation: AclOperation, kind: ResourceType, name: str) -> None:
        """Deny the workers one operation on one resource, whatever they are allowed otherwise."""
        rule = _rule(kind, name, operation, AclPermissionType.DENY)
        self.ask(lambda admin: admin.create_acls([rule]))

    def give_back(self, operation: AclOperation, kind: ResourceType, name: str) -> None:
        """End a denial."""
        denial = AclBindingFilter(
            kind, name, ResourcePatternType.LITERAL, f"User:{_USER}", "*", operation, AclPermissionType.DENY
        )
        self.ask(lambda admin: admin.delete_acls([denial]))

    def __enter__(self) -> Self:
        try:
            if can_mount():
                self.disks = [Disk(self.kafka.folder / f"node-{node.number}") for node in self.kafka.nodes]
            self.kafka.start()
            rules = [_rule(kind, "*", AclOperation.ALL, AclPermissionType.ALLOW) for kind in _GUARDED]
            self.ask(lambda admin: admin.create_acls(rules))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        for disk in self.disks:
            disk.thaw()
        for node in self.kafka.nodes:
            node.kill()
        for disk in self.disks:
            disk.unmount()
        self.kafka.close()


def _rule(kind: ResourceType, name: str, operation: AclOperation, permission: AclPermissionType) -> AclBinding:
    return AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{_USER}", "*", operation, permission)
