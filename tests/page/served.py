"""The page's server in a process of its own, and what is put before it."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Producer

from testkit.child_process import ROOT, Child
from testkit.kafka import eventually
from testkit.workers import environment_of

START_SECONDS = 90.0
_SAID = re.compile(r"the page is at (http://\S+/)")


class PageProcess(Child):
    """`sluice page`, on a free port of this machine.

    Args:
        bootstrap_servers: Addresses of the cluster.
        settings: By dotted name, for example `{"page.token": "..."}`.
        arguments: Of the command.
    """

    def __init__(self, bootstrap_servers: str, settings: Mapping[str, object] | None = None, *arguments: str) -> None:
        chosen = {"kafka.bootstrap_servers": bootstrap_servers, "page.port": 0, **(settings or {})}
        environment = {**environment_of(chosen), "PYTHONPATH": str(ROOT)}
        super().__init__([sys.executable, "-m", "worker", "page", *arguments], environment)

    @property
    def url(self) -> str:
        """Where it is, once it is there."""
        eventually(lambda: _SAID.search(self.log) or self.process.poll() is not None, START_SECONDS)
        found = _SAID.search(self.log)
        assert found is not None, self.log
        return found[1]


def send(bootstrap_servers: str, topic: str, values: Sequence[bytes | dict[str, Any]], partition: int = 0) -> None:
    """Put records into a partition, in order, and wait until they are there."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 0, "message.max.bytes": 4_000_000})
    for value in values:
        producer.produce(topic, value if isinstance(value, bytes) else json.dumps(value).encode(), partition=partition)
    assert producer.flush(60) == 0
