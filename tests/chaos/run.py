"""One chaos run: a stream, its workers and faults, until everything sent has come out or there is no hope left."""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from confluent_kafka import KafkaException

from testkit.stream import Topics
from tests.chaos.accounts import uncounted
from tests.chaos.broker_faults import BrokerFaults
from tests.chaos.clocks import make_shifting_library
from tests.chaos.cluster import Cluster
from tests.chaos.events import MAX_OUTPUT_BYTES, MAX_VALUE_BYTES, Stream
from tests.chaos.feed import Feed
from tests.chaos.fleet import Fleet
from tests.chaos.injector import FaultInjector
from tests.chaos.input_topic import PARTITIONS, InputTopic
from tests.chaos.losses import Losses
from tests.chaos.missing_events import explain_missing
from tests.chaos.oracle import Oracle
from tests.chaos.output_reader import OutputReader
from tests.chaos.places import Places
from tests.chaos.plan import Fault, make_plan
from tests.chaos.report import Report
from tests.chaos.stalls import Stalls
from tests.chaos.topic_faults import TopicFaults
from tests.chaos.worker_faults import WorkerFaults

_CHUNK = 500
_MOST_SEARCHED = 1000
_MOST_AHEAD = 4000
_AHEAD_OF_FAULTS = 2
_PROGRESS_SECONDS = 5.0
_SCRAPE_SECONDS = 1.0
_END_SECONDS = 600.0
_COUNT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to be.

    Attributes:
        seconds: How long events are sent at most.
        seed: Of the stream and the plan.
        events: How many are sent at most; none: as many as the seconds take.
        faults: How many happen, spread over the run.
        kinds: Which kinds of fault; those that are impossible on this machine are left out.
        workers: How many share the topic.
        guarantee: `delivery.guarantee`.
        protocol: `kafka.group_protocol`.
    """

    seconds: float
    seed: int
    events: int | None
    faults: int
    kinds: Collection[Fault]
    workers: int
    guarantee: str
    protocol: str


class ChaosRun:
    """Runs once.

    Args:
        cluster: Three brokers, all up.
        options: What to do.
        clock: Monotonic seconds.
    """

    def __init__(self, cluster: Cluster, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._servers = servers = cluster.kafka.bootstrap_servers
        self._clock = clock
        self._topics = topics = Topics(cluster.kafka, PARTITIONS, **{"max.message.bytes": str(MAX_OUTPUT_BYTES)})
        self._losses = Losses(Places())
        self._losses.places.topic_ids.append(InputTopic(cluster, topics).topic_id())
        self._stream = Stream(options.seed)
        self._oracle = Oracle(self._stream, self._losses)
        self._feed = Feed(servers, topics.input, self._losses.places)
        self._reader = OutputReader(servers, topics.output, topics.dead_letters, self._oracle)
        settings = {"delivery.guarantee": options.guarantee, "input.max_value_bytes": MAX_VALUE_BYTES}
        self._fleet = Fleet(cluster, topics, settings, options.protocol, options.workers)
        handlers = {
            **WorkerFaults(
                self._fleet, self._oracle.other_errors.add, make_shifting_library(), lambda: self._injector.ending
            ).handlers,
            **BrokerFaults(cluster, [topics.input, topics.output, topics.dead_letters]).handlers,
            **TopicFaults(cluster, topics, self._fleet, self._feed, self._losses, self._oracle).handlers,
        }
        self._impossible = [kind for kind in options.kinds if kind not in handlers]
        plan = make_plan(options.seed, options.faults, [kind for kind in options.kinds if kind in handlers])
        self._injector = FaultInjector(plan, handlers, self._progress)
        self._planned = len(plan)
        self._begun = self._flows_since = self._reported = clock()
        self._stalls = Stalls(clock)
        self._tasks: list[asyncio.Task[None]] = []
        self._gave_up = ""
        self._verdicts: list[str] = []

    async def run(self) -> Report:
        """Send, inject faults, wait, and report."""
        try:
            self._fleet.supervise()
            scraping = asyncio.create_task(self._keep_scraping())
            faults = asyncio.create_task(self._injector.run())
            self._tasks = [faults, scraping]
            await self._while(self._is_sending, self._send)
            self._injector.end()
            await self._while(lambda: self._oracle.missing > 0)
            await self._while(lambda: not faults.done(), limit="the last faults did not end")
            faults.cancel()
            await self._while(lambda: not self._is_committed(), limit="the group did not commit all it had read")
            begun = self._clock()
            await self._while(lambda: self._is_counting() and self._clock() - begun < _COUNT_SECONDS)
            scraping.cancel()
            await self._fleet.stop_all()
            await self._while(lambda: bool(self._fleet.workers), limit="a worker did not end when asked to")
            if not self._gave_up:
                self._reader.read_to_the_end()
            elif 0 < self._oracle.missing <= _MOST_SEARCHED:
                missing = self._oracle.missing_numbers()
                with suppress(AssertionError):  # the brokers do not let it; where the events lie is known anyway
                    self._verdicts = await asyncio.to_thread(explain_missing, self._servers, self._topics, missing)
            return self._report()
        finally:
            self._fleet.close()
            self._reader.close()

    async def _while(
        self, goes_on: Callable[[], bool], step: Callable[[], None] = lambda: None, *, limit: str = ""
    ) -> None:
        """Serve everything while the condition holds and there is hope; with a limit, not for long."""
        begun = self._clock()
        while not self._gave_up and goes_on():
            step()
            self._feed.serve(0)
            before = self._oracle.settled
            self._reader.read(0.02)
            self._fleet.supervise()
            self._watch(self._oracle.settled - before)
            self._gave_up = self._gave_up or _failure_of(self._tasks)
            if limit and self._clock() - begun > _END_SECONDS:
                self._gave_up = limit
            await asyncio.sleep(0)

    async def _keep_scraping(self) -> None:
        """Read what the workers count and log, and explain losses by it."""
        while True:
            await self._fleet.scrape()
            for move in self._fleet.new_moves():
                self._losses.reported(move)
            self._oracle.explain_losses()
            await asyncio.sleep(_SCRAPE_SECONDS)

    def _is_sending(self) -> bool:
        return self._progress() < 1.0

    def _progress(self) -> float:
        if not self._oracle.settled:
            return 0.0  # nothing flows yet that a fault could disturb
        by_time = (self._clock() - self._flows_since) / self._options.seconds
        by_count = len(self._stream) / self._options.events if self._options.events else 0.0
        return max(by_time, by_count)

    def _send(self) -> None:
        """Some more events, unless too many wait already or the faults don't keep up with the stream."""
        if self._feed.held or self._oracle.missing >= _MOST_AHEAD:
            return
        count = _CHUNK
        if self._options.events:
            if self._progress() > self._injector.next_at + _AHEAD_OF_FAULTS / max(1, self._planned):
                return
            count = min(count, self._options.events - len(self._stream))
        self._feed.send(self._stream.take(count))

    def _watch(self, moved: int) -> None:
        """Note stalls, print progress, and give up when nothing has moved for long."""
        now = self._clock()
        if moved == self._oracle.settled:
            self._flows_since = now
        flows = moved > 0 or not self._oracle.missing
        self._gave_up = self._gave_up or self._stalls.note(flows, self._oracle, self._injector.latest, self._reader)
        if now - self._reported >= _PROGRESS_SECONDS:
            self._reported = now
            self._print_progress(now - self._begun)

    def _print_progress(self, seconds: float) -> None:
        oracle, done = self._oracle, sum(self._injector.done.values())
        sys.stderr.write(
            f"{self._options.guarantee} {seconds:6.0f} s: {len(self._stream):,} sent, {oracle.settled:,} out, "
            f"{oracle.missing:,} missing, {self._losses.count:,} lost and explained, {oracle.repeats:,} repeats; "
            f"{done} of {self._planned} faults ({self._injector.latest}), {len(self._fleet.workers)} workers\n"
        )
        sys.stderr.flush()

    def _is_committed(self) -> bool:
        """The group has committed all of the input, tombstones at its end included."""
        try:
            return self._topics.is_done()
        except KafkaException:
            return False  # a coordinator is being elected

    def _is_counting(self) -> bool:
        """A worker has yet to count dead letters that have come; if it never does, the report says so."""
        return uncounted(self._fleet.workers, self._oracle.dead_letters) > 0

    def _report(self) -> Report:
        return Report(
            options=self._options,
            seconds=round(self._clock() - self._begun, 1),
            stream=self._stream,
            oracle=self._oracle,
            losses=self._losses,
            fleet=self._fleet,
            faults=self._injector.done,
            planned=self._planned,
            impossible=self._impossible,
            longest_stall=self._stalls.longest,
            gave_up=self._gave_up,
            verdicts=self._verdicts,
        )


def _failure_of(tasks: Collection[asyncio.Task[None]]) -> str:
    """Why the faults or the counting ended with an error; empty if they did not."""
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            sys.stderr.write("".join(traceback.format_exception(error)))
            causes = error.exceptions if isinstance(error, BaseExceptionGroup) else (error,)
            return "; ".join(str(cause).splitlines()[0] for cause in causes)
    return ""
