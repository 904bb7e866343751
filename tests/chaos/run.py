"""One chaos run: a stream, its workers, its faults, until everything sent has come out or no hope is left."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import KafkaException

from testkit.kafka import Kafka
from testkit.stream import Topics
from tests.chaos.audience import Audience
from tests.chaos.events import MAX_OUTPUT_BYTES, MAX_VALUE_BYTES, Stream
from tests.chaos.faults import Saboteur
from tests.chaos.feed import Feed
from tests.chaos.fleet import Fleet
from tests.chaos.missing_events import explain_missing
from tests.chaos.oracle import Oracle
from tests.chaos.plan import make_plan
from tests.chaos.report import Report

PARTITIONS = 6
_CHUNK = 500
_MOST_LOOKED_FOR = 1000
_MOST_AHEAD = 10_000
_AHEAD_OF_FAULTS = 2
_HOPE_SECONDS = 180.0
_PROGRESS_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 15.0
_END_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to be.

    Attributes:
        seconds: How long events are sent at most.
        seed: Of the stream and the plan.
        events: How many are sent at most; none: as many as the seconds take.
        faults: How many happen, spread over the run.
        workers: How many share the topic.
        guarantee: `delivery.guarantee`.
        protocol: `kafka.group_protocol`.
    """

    seconds: float
    seed: int
    events: int | None
    faults: int
    workers: int
    guarantee: str
    protocol: str


class ChaosRun:
    """Runs once.

    Args:
        kafka: Three brokers, all up.
        options: What to do.
        clock: Monotonic seconds.
    """

    def __init__(self, kafka: Kafka, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._brokers = len(kafka.nodes)
        self._servers = kafka.bootstrap_servers
        self._clock = clock
        self._topics = Topics(kafka, PARTITIONS, **{"max.message.bytes": str(MAX_OUTPUT_BYTES)})
        self._stream = Stream(options.seed)
        self._oracle = Oracle(self._stream)
        self._feed = Feed(kafka.bootstrap_servers, self._topics.input)
        self._audience = Audience(kafka.bootstrap_servers, self._topics.output, self._topics.dead_letters, self._oracle)
        settings = {"delivery.guarantee": options.guarantee, "input.max_value_bytes": MAX_VALUE_BYTES}
        self._fleet = Fleet(kafka, self._topics, settings, options.protocol, options.workers)
        topics = [self._topics.input, self._topics.output, self._topics.dead_letters]
        plan = make_plan(options.seed, options.faults)
        self._saboteur = Saboteur(kafka, self._fleet, topics, plan, self._progress)
        self._planned = len(plan)
        self._begun = self._flows_since = self._moved = self._told = self._looked_again = clock()
        self._longest_stall = (0.0, "")
        self._gave_up = ""
        self._verdicts: list[str] = []

    async def run(self) -> Report:
        """Send, break, mend, wait, and tell."""
        try:
            self._fleet.supervise()
            async with asyncio.TaskGroup() as group:
                sabotage = group.create_task(self._saboteur.run())
                await self._while(self._sending, self._send)
                self._saboteur.end()
                await self._while(lambda: self._oracle.missing > 0)
                await self._while(lambda: not sabotage.done(), limit="the last faults did not end")
                if self._gave_up:
                    sabotage.cancel()
            await self._while(lambda: not self._is_committed(), limit="the group did not commit all it had read")
            self._fleet.stop_all()
            await self._while(lambda: bool(self._fleet.workers), limit="a worker did not end when asked to")
            if not self._gave_up:
                self._audience.read_to_the_end()
            elif 0 < self._oracle.missing <= _MOST_LOOKED_FOR:
                missing = self._oracle.missing_numbers()
                self._verdicts = await asyncio.to_thread(explain_missing, self._servers, self._topics, missing)
        finally:
            self._fleet.close()
            self._audience.close()
        return self._report()

    async def _while(
        self, goes_on: Callable[[], bool], step: Callable[[], None] = lambda: None, *, limit: str = ""
    ) -> None:
        """Turn the run's wheels while the condition holds and there is hope; with a limit, not for long."""
        begun = self._clock()
        while not self._gave_up and goes_on():
            step()
            self._feed.serve(0)
            before = self._oracle.settled
            self._audience.read(0.02)
            self._fleet.supervise()
            self._watch(self._oracle.settled - before)
            if limit and self._clock() - begun > _END_SECONDS:
                self._gave_up = limit
            await asyncio.sleep(0)

    def _sending(self) -> bool:
        return self._progress() < 1.0

    def _progress(self) -> float:
        if not self._oracle.settled:
            return 0.0  # nothing flows yet that a fault could disturb
        by_time = (self._clock() - self._flows_since) / self._options.seconds
        by_count = len(self._stream) / self._options.events if self._options.events else 0.0
        return max(by_time, by_count)

    def _send(self) -> None:
        """Some more events, unless too many wait already or the faults don't keep up with the stream."""
        if self._oracle.missing >= _MOST_AHEAD:
            return
        count = _CHUNK
        if self._options.events:
            if self._progress() > self._saboteur.next_at + _AHEAD_OF_FAULTS / max(1, self._planned):
                return
            count = min(count, self._options.events - len(self._stream))
        self._feed.send(self._stream.take(count))

    def _watch(self, moved: int) -> None:
        """Note stalls, tell of progress, and give up when nothing has moved for long."""
        now = self._clock()
        if moved == self._oracle.settled:
            self._flows_since = now
        if moved or not self._oracle.missing:
            self._moved = now
        stall = now - self._moved
        if stall > _LOOK_AGAIN_SECONDS and now - self._looked_again > _LOOK_AGAIN_SECONDS:
            self._looked_again = now
            unread = self._audience.look_again()  # what stalls must not be the audience
            sys.stderr.write(f"nothing came for {stall:.0f} s; {unread:,} offsets lay ready\n")
        if self._oracle.settled and stall > self._longest_stall[0]:
            self._longest_stall = (stall, str(self._saboteur.latest or "start"))
        if stall > _HOPE_SECONDS:
            self._gave_up = f"no event came out for {_HOPE_SECONDS:g} s"
        if now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            self._tell(now - self._begun)

    def _tell(self, seconds: float) -> None:
        oracle, done = self._oracle, sum(self._saboteur.done.values())
        sys.stderr.write(
            f"{self._options.guarantee} {seconds:6.0f} s: {len(self._stream):,} sent, {oracle.settled:,} out, "
            f"{oracle.missing:,} under way, {oracle.repeats:,} again; {done} of {self._planned} faults, "
            f"{len(self._fleet.workers)} workers\n"
        )
        sys.stderr.flush()

    def _is_committed(self) -> bool:
        """The group has committed all of the input, tombstones at its end included."""
        try:
            return self._topics.is_done()
        except KafkaException:
            return False  # a coordinator on its way

    def _report(self) -> Report:
        options = self._options
        return Report(
            guarantee=options.guarantee,
            protocol=options.protocol,
            seed=options.seed,
            seconds=round(self._clock() - self._begun, 1),
            workers=options.workers,
            brokers=self._brokers,
            stream=self._stream,
            oracle=self._oracle,
            faults=self._saboteur.done,
            planned=self._planned,
            exits=self._fleet.exits,
            unexpected=self._fleet.unexpected,
            longest_stall=self._longest_stall,
            gave_up=self._gave_up,
            verdicts=self._verdicts,
        )
