"""Faults of brokers and their disks. One at a time: each ends when every replica is in sync again."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from confluent_kafka import KafkaException

from testkit.kafka import admin_client
from testkit.kafka_node import Node
from tests.chaos.cluster import Cluster
from tests.chaos.plan import Fault, PlannedFault

_LOOK_SECONDS = 0.2
_HEAL_SECONDS = 600.0
_FULL_SECONDS = 20.0
_SLOW_WRITE_SECONDS = 0.4
_FAST_SECONDS = 0.1


class ClusterDidNotHeal(Exception):
    """A broker that was started again did not catch up with the others."""


class BrokerFaults:
    """Handlers of the faults of brokers.

    Args:
        cluster: The brokers and their disks.
        topics: Whose replicas must all be in sync before the next fault: of three brokers, only one may be away.
    """

    def __init__(self, cluster: Cluster, topics: Sequence[str]) -> None:
        self._cluster = cluster
        self._topics = topics
        self._servers = cluster.kafka.bootstrap_servers

    @property
    def handlers(self) -> Mapping[Fault, Callable[[PlannedFault], Awaitable[None]]]:
        """The handler of each kind that is possible here."""
        found = {
            Fault.KILL_BROKER: self._kill,
            Fault.RESTART_BROKER: self._restart,
            Fault.CUT_BROKER: self._cut,
            Fault.ROLL_BROKERS: self._roll,
        }
        disks = {Fault.SLOW_DISK: self._slow_disk, Fault.FULL_DISK: self._full_disk}
        return found | (disks if self._cluster.disks else {})

    async def _kill(self, planned: PlannedFault) -> None:
        node = self._chosen(planned)
        node.send_signal(signal.SIGKILL)
        await self._start_again(node, planned.seconds)

    async def _restart(self, planned: PlannedFault) -> None:
        node = self._chosen(planned)
        node.send_signal(signal.SIGTERM)
        await self._start_again(node, planned.seconds)

    async def _cut(self, planned: PlannedFault) -> None:
        """Connections stay open and nobody answers."""
        node = self._chosen(planned)
        node.pause()
        await asyncio.sleep(planned.seconds)
        node.resume()
        await self.heal()

    async def _roll(self, planned: PlannedFault) -> None:
        """Every broker is restarted, one after another, as an upgrade does it."""
        first = planned.target % len(self._cluster.kafka.nodes)
        for node in self._cluster.kafka.nodes[first:] + self._cluster.kafka.nodes[:first]:
            node.send_signal(signal.SIGTERM)
            await self._start_again(node, 0)

    async def _slow_disk(self, planned: PlannedFault) -> None:
        """Most of the time no write ends: each waits up to 0.4 s."""
        disk = self._cluster.disks[planned.target % len(self._cluster.disks)]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + planned.seconds
        while loop.time() < deadline:
            await asyncio.to_thread(disk.freeze)
            try:
                await asyncio.sleep(_SLOW_WRITE_SECONDS)
            finally:
                await asyncio.to_thread(disk.thaw)
            await asyncio.sleep(_FAST_SECONDS)
        await self.heal()

    async def _full_disk(self, planned: PlannedFault) -> None:
        """A broker that can't write to its only log directory ends; it is started again when there is space."""
        node = self._chosen(planned)
        disk = self._cluster.disks[planned.target % len(self._cluster.disks)]
        try:
            await asyncio.to_thread(disk.fill)
            deadline = asyncio.get_running_loop().time() + _FULL_SECONDS
            while node.running and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(_LOOK_SECONDS)
            if node.running:
                node.send_signal(signal.SIGKILL)  # nothing was written to it: an operator would not wait either
            while node.running:
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            disk.empty()
        await self._start_again(node, planned.seconds)

    def _chosen(self, planned: PlannedFault) -> Node:
        return self._cluster.kafka.nodes[planned.target % len(self._cluster.kafka.nodes)]

    async def _start_again(self, node: Node, seconds: float) -> None:
        while node.running:
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(seconds)
        node.start()
        await self.heal()

    async def heal(self) -> None:
        """Wait until every replica of the topics is in sync again.

        Raises:
            ClusterDidNotHeal: They are not, after ten minutes.
        """
        deadline = asyncio.get_running_loop().time() + _HEAL_SECONDS
        while not await asyncio.to_thread(self._is_whole):
            if asyncio.get_running_loop().time() > deadline:
                tails = "\n".join(f"node {node.number}: {node.tail()}" for node in self._cluster.kafka.nodes)
                message = f"the brokers were not in sync within {_HEAL_SECONDS:g} s:\n{tails}"
                raise ClusterDidNotHeal(message)
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_whole(self) -> bool:
        try:
            known = admin_client(self._servers).list_topics(timeout=10)
        except KafkaException:
            return False
        if len(known.brokers) < len(self._cluster.kafka.nodes) or not known.topics.keys() >= set(self._topics):
            return False
        partitions = [p for topic in self._topics for p in known.topics[topic].partitions.values()]
        return all(p.leader >= 0 and len(p.isrs) == len(p.replicas) for p in partitions)
