"""Faults that an administrator makes: partitions, a recreated topic, retention, a limit, a right. Each is undone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from confluent_kafka.admin._acl import AclOperation
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from testkit.stream import Topics
from tests.chaos.cluster import Cluster
from tests.chaos.events import LOWERED_OUTPUT_BYTES, MAX_OUTPUT_BYTES
from tests.chaos.feed import Feed
from tests.chaos.fleet import Fleet
from tests.chaos.fleet_worker import AllowedEnd
from tests.chaos.input_topic import InputTopic
from tests.chaos.losses import Losses
from tests.chaos.oracle import Oracle
from tests.chaos.plan import Fault, PlannedFault

_LOOK_SECONDS = 0.1
_PART_RECORDS = 200
_MOST_LEFT = 1000
_LEFT_SECONDS = 45.0
_REPORT_SECONDS = 30.0
_NOTICED_SECONDS = 6.0
_ENDING_SECONDS = 60.0
_TOO_LARGE = b"OutputTooLarge"
_LACKS = "lacks the right"


class TopicFaults:
    """Handlers of the faults of topics.

    Args:
        cluster: The brokers.
        topics: Input, output and dead letters.
        fleet: The workers.
        feed: Sends the events.
        losses: Is told what is removed.
        oracle: Is told which dead letters a fault makes possible.
    """

    def __init__(
        self, cluster: Cluster, topics: Topics, fleet: Fleet, feed: Feed, losses: Losses, oracle: Oracle
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._fleet = fleet
        self._feed = feed
        self._losses = losses
        self._oracle = oracle
        self._input = InputTopic(cluster, topics)

    @property
    def handlers(self) -> Mapping[Fault, Callable[[PlannedFault], Awaitable[None]]]:
        """The handler of each kind."""
        return {
            Fault.ADD_PARTITION: self._add_partition,
            Fault.RECREATE_TOPIC: self._recreate,
            Fault.CUT_RETENTION: self._cut_retention,
            Fault.LOWER_LIMIT: self._lower_limit,
            Fault.WITHDRAW_RIGHT: self._withdraw_right,
        }

    async def _add_partition(self, _: PlannedFault) -> None:
        """One partition more; the feed writes to it within three seconds. They stay until the topic is recreated."""
        await asyncio.to_thread(self._input.add_partition)

    async def _recreate(self, planned: PlannedFault) -> None:
        """The input topic is deleted and made again; what the group had not committed of it may be lost.

        The feed waits until it exists again. A worker that lived through it must report it.
        """
        self._feed.hold()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while not self._feed.is_empty or (self._oracle.missing > _MOST_LEFT and loop.time() - begun < _LEFT_SECONDS):
            await asyncio.sleep(_LOOK_SECONDS)
        witnesses = {worker.name for worker in self._fleet.free}
        self._losses.deleted(await asyncio.to_thread(self._input.committed))
        await asyncio.to_thread(self._input.delete)
        await asyncio.sleep(planned.seconds)
        self._losses.places.topic_ids.append(await asyncio.to_thread(self._input.create))
        self._feed.resume()
        begun = loop.time()
        while self._losses.unreported and loop.time() - begun < _REPORT_SECONDS:
            await asyncio.sleep(_LOOK_SECONDS)
            witnesses &= {worker.name for worker in self._fleet.workers}
        if self._losses.unreported and not witnesses:
            self._losses.unobserved()
        await asyncio.sleep(max(0.0, _NOTICED_SECONDS - (loop.time() - begun)))
        self._losses.places.early_until(await asyncio.to_thread(self._input.ends))

    async def _cut_retention(self, planned: PlannedFault) -> None:
        """Records are deleted that the group has not read: its workers are frozen or, every third time, gone.

        Frozen workers hold what they have fetched, so all is deleted; of a group that is away, a part of what it owes.
        """
        gone = planned.target % 3 == 0
        workers = self._fleet.free
        self._fleet.away = gone
        for worker in workers:
            if gone:
                await self._fleet.kill(worker)
            else:
                self._fleet.freeze(worker)
        try:
            await asyncio.sleep(planned.seconds)
            cut = await asyncio.to_thread(self._input.delete_records, beyond_committed=_PART_RECORDS if gone else None)
            self._losses.cut(cut)
        finally:
            self._fleet.away = False
            if not gone:
                for worker in workers:
                    self._fleet.thaw(worker)

    async def _lower_limit(self, planned: PlannedFault) -> None:
        """The output topic takes no long comments for a while: they become dead letters."""
        self._oracle.other_errors.add(_TOO_LARGE)
        await asyncio.to_thread(self._set_limit, LOWERED_OUTPUT_BYTES)
        try:
            await asyncio.sleep(planned.seconds)
        finally:
            await asyncio.to_thread(self._set_limit, MAX_OUTPUT_BYTES)

    async def _withdraw_right(self, planned: PlannedFault) -> None:
        """Workers may not write the output, or read the input or their group: each ends and names the right."""
        operation, kind, name = (
            (AclOperation.WRITE, ResourceType.TOPIC, self._topics.output),
            (AclOperation.READ, ResourceType.TOPIC, self._topics.input),
            (AclOperation.READ, ResourceType.GROUP, self._topics.group),
            (AclOperation.WRITE, ResourceType.TOPIC, self._topics.dead_letters),
        )[planned.target % 4]
        words = f"{_LACKS} {operation.name.capitalize()} on {kind.name.lower()} {name}"
        end = AllowedEnd(1, words)
        self._fleet.allowed.append(end)
        await asyncio.to_thread(self._cluster.withdraw, operation, kind, name)
        try:
            await asyncio.sleep(planned.seconds)
        finally:
            await asyncio.to_thread(self._cluster.give_back, operation, kind, name)
        # A worker that was refused may still be ending.
        asyncio.get_running_loop().call_later(_ENDING_SECONDS, self._fleet.allowed.remove, end)

    def _set_limit(self, size: int) -> None:
        limit = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
        topic = ConfigResource(ConfigResource.Type.TOPIC, self._topics.output, incremental_configs=[limit])
        self._cluster.ask(lambda admin: admin.incremental_alter_configs([topic]))
