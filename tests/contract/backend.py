"""A broker that contract tests run on."""

from dataclasses import dataclass, field
from typing import Any

from testkit.kafka import Kafka, admin_client

PARTITIONS = 4


@dataclass
class Backend:
    """One broker and the protocol its groups use."""

    bootstrap_servers: str
    protocol: str
    real: Kafka | None
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def commits_in_a_revoke(self) -> bool:
        """Whether a commit inside a revoke is always accepted.

        The embedded broker's classic groups refuse it (REBALANCE_IN_PROGRESS) if the other member has already joined; a
        real broker accepts it.
        """
        return self.real is not None or self.protocol != "classic"

    def create_topic(self, name: str, config: dict[str, str] | None = None) -> str:
        """Create a topic of four partitions, the number that the embedded broker gives to a new topic."""
        if self.real is not None:
            return self.real.create_topic(name, PARTITIONS, config)
        admin_client(self.bootstrap_servers).list_topics(name, timeout=30)
        return name
