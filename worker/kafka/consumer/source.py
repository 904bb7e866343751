"""Reads the records of one or several topics as a member of a consumer group, and commits their offsets.

Everything here runs on the thread that calls `poll`: rebalances, commit responses, errors and statistics are handled
inside it, so there are no locks and no second thread touches the consumer.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException

from worker.errors import Fatal, OwnershipLost, Rebalancing, Retryable
from worker.facts import GroupFacts
from worker.kafka.client.error_codes import describe, error_of, refused_connection
from worker.kafka.client.group_metadata import generation
from worker.kafka.client.log_queries import LogQueries
from worker.kafka.client.properties import consumer_properties, make_client
from worker.kafka.client.retry import Backoff, Sleep, Uniform, retry
from worker.kafka.client.truncation import truncation
from worker.kafka.consumer.assignments import Assignments, polled
from worker.kafka.consumer.broker_availability import BrokerAvailability
from worker.kafka.consumer.commits import Commits
from worker.kafka.consumer.leaving import leave
from worker.kafka.consumer.positions import NO_PLACE, Positions, key
from worker.kafka.consumer.read_errors import NO_TOPIC, fault_of_reading
from worker.kafka.consumer.rebalances import Rebalances, partitions_of
from worker.kafka.consumer.standing import StandingPartitions
from worker.kafka.consumer.statistics import ReportedStatistics
from worker.kafka.consumer.subscription import subscription
from worker.kafka.consumer.topic_watches import TopicWatches
from worker.protocols import Clock, RebalanceListener
from worker.settings import Settings
from worker.types import Assignment, Record

log = structlog.stdlib.get_logger(__name__)

_COMMIT_LIMIT_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0
_PLACING_POLL_SECONDS = 0.01


class KafkaSource:
    """A member of a consumer group that reads `input.topic`; implements `worker.protocols.Source`.

    Args:
        settings: The worker's settings; `kafka`, `input`, `batch` and `delivery` are read.
        clock: Returns monotonic seconds.
        sleep: Waits between attempts to commit.
        uniform: Draws the lengths of those waits.
        queries: Queries the topic's log; created here by default.

    Raises:
        SettingsInvalid: The worker or librdkafka rejects a property.
    """

    def __init__(
        self, settings: Settings, *, clock: Clock, sleep: Sleep, uniform: Uniform, queries: LogQueries | None = None
    ) -> None:
        self._topic, self._group = settings.input.topic, settings.kafka.group_id
        self._subscription = subscription(settings)
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._commit_limit_seconds = min(_COMMIT_LIMIT_SECONDS, settings.delivery.revoke_seconds)
        self._assignments = Assignments(settings.input.only_topic)
        self._availability = BrokerAvailability(settings.kafka, clock)
        self._commits = Commits(self._group, self._topic, self._assignments, self._availability, clock)
        self._queries = queries or LogQueries(settings, clock)
        self._watches = TopicWatches(settings.input.topics, self._queries, clock)
        self._positions = Positions(settings.input.start, self._assignments, self._watches, self._queries, clock)
        self._rebalances = Rebalances(self._topic, self._assignments, self._availability, self._positions)
        self._standing = StandingPartitions(clock)
        self._fault: Exception | None = None
        self._closed = False
        self._statistics = ReportedStatistics(self._assignments, self._availability)
        self._is_member = False
        self._properties = consumer_properties(settings)
        self._consumer = self._new_client()

    def _new_client(self) -> Consumer:
        client: Consumer = make_client(
            Consumer,
            self._properties,
            on_commit=self._commits.serve,
            error_cb=self._serve_client_error,
            stats_cb=self._statistics.serve,
        )
        return client

    @property
    def assigned(self) -> list[Assignment]:
        """The assignments currently held."""
        return list(self._assignments.current.values())

    @property
    def rebalances(self) -> Mapping[str, int]:
        """How often `assign`, `revoke` and `lost` were handled."""
        return self._rebalances.counts

    def facts(self) -> GroupFacts:
        """Return what is currently known about the group."""
        return GroupFacts(
            join_state=self._statistics.join_state,
            is_member=self._has_joined(),
            broker_answers=not self._availability.is_down,
            lag_records=self._statistics.lag_records,
            commits_succeeded=self._commits.succeeded,
            commits_failed=self._commits.failed,
            topics_missing=self._watches.missing,
            standing=self._standing.now(),
            unstable_records=self._statistics.unstable_records,
            positions_moved=self._positions.moved,
            records_skipped=self._positions.skipped,
        )

    def subscribe(self, listener: RebalanceListener) -> None:
        """Join the group; from then on, `poll` handles its rebalances."""
        self._rebalances.set_listener(listener)
        self._availability.start()
        self._join()

    def _join(self) -> None:
        rebalances = self._rebalances
        self._consumer.subscribe(
            self._subscription,
            on_assign=rebalances.serve_assign,
            on_revoke=rebalances.serve_revoke,
            on_lost=rebalances.serve_lost,
        )

    def poll(self, limit: int, timeout_seconds: float) -> list[tuple[Record, Assignment]]:
        """Return at most `limit` records as soon as there are any, in order within each partition.

        Raises:
            NoBroker: No broker responded for `kafka.no_broker_seconds`.
            Fatal: The consumer is broken, refused, or out of range with `input.start = error`.
        """
        self._positions.keep(self._consumer, self._rebalances)
        if self._positions.outdated:
            self._join_again()
        consumer = self._consumer
        first = consumer.poll(min(timeout_seconds, _PLACING_POLL_SECONDS) if self._positions.busy else timeout_seconds)
        records = [] if first is None else self._with_assignments([first])
        if first is not None and limit > 1:
            # consume() with a timeout would wait for the full number, so it takes only what is already fetched. It may
            # serve a rebalance, so the first record is matched with its assignment before that.
            records += self._with_assignments(consumer.consume(limit - 1, 0))
        if records:
            self._availability.answered()
        if fault := self._fault or self._positions.fault or self._rebalances.fault or self._commits.fault:
            raise fault
        self._availability.check()
        self._commits.send(consumer)
        return records

    def _join_again(self) -> None:
        """Finish what is held, leave the group and join it with a new client, which knows nothing of the old log."""
        log.info("joining the group again", cause="a topic that was read has been deleted and created again")
        self._rebalances.finish()
        leave(self._consumer, is_broken=self._fault is not None or self._commits.fault is not None)
        self._commits.forget()
        self._queries.renew()
        self._positions.renewed()
        self._is_member = False
        self._consumer = self._new_client()
        self._join()

    def _with_assignments(self, messages: list[Any]) -> list[tuple[Record, Assignment]]:
        """Return the records among these messages, each with the current assignment of its partition.

        The messages are typed as `Any`, because the stub's headers() is wider than what librdkafka returns.
        """
        current, by_number, positions = self._assignments.current, self._assignments.by_number, self._positions
        records: list[tuple[Record, Assignment]] = []
        waits = positions.waits if positions.busy else None
        for message in messages:
            if message.error() is not None:
                polled(records)
                self._serve_read_error(message)
                # Records before an error were read at a position that was good: nobody will read them again.
                waits = positions.waits if positions.busy else None
                continue
            number = message.partition()
            assignment = current.get((message.topic(), number)) if by_number is None else by_number.get(number)
            if assignment is not None and (waits is None or not waits(assignment)):
                records.append((message, assignment))
        for assignment in polled(records):
            if self._standing:
                self._standing.moved(assignment.key)
        return records

    def _serve_read_error(self, message: Any) -> None:
        """Handle an error that came instead of a record."""
        error, assignment = message.error(), self._assignments.current.get((message.topic(), message.partition()))
        if error.code() in NO_PLACE:
            if assignment is not None and (found := truncation(error)) is not None:
                self._positions.truncated(assignment, found)
            elif assignment is not None:
                # Not where librdkafka was to fetch next: it drops what it has fetched at each rebalance and each pause,
                # and keeps this error. What it dropped has not been read, and can't be read again.
                read_to = assignment.next_offset
                self._positions.lost(assignment, message.offset() if read_to is None else read_to)
            return
        if error.code() in NO_TOPIC:
            self._watches.look_soon()
        elif assignment is not None:
            self._standing.failed(assignment.key, message.offset(), error)
        self._fault = fault_of_reading(error, message.topic() or self._topic, self._group) or self._fault

    def commit(self, offsets: Mapping[Assignment, int]) -> None:
        """Start committing next offsets of assignments still owned; others are skipped, and none moves backwards.

        One commit is in flight at a time; offsets that arrive meanwhile are sent together with the next.
        """
        self._assignments.stage(offsets)
        self._commits.send(self._consumer)

    def flush_commits(self, timeout_seconds: float) -> bool:
        """Wait until the broker has responded for every offset given to `commit`; return False on a timeout.

        What a group refuses that is rebalancing is sent again for a second: its partitions may well be this member's
        after it. A refusal after that counts as a response: the next owner rereads what was not accepted.

        Raises:
            Fatal: The broker refuses this group or principal.
        """
        self._commits.begin_wait()
        try:
            retry(
                lambda: self._commits.send_and_wait(self._consumer),
                limit_seconds=min(self._commit_limit_seconds, timeout_seconds),
                backoff=self._backoff,
                clock=self._clock,
                sleep=self._sleep,
            )
        except (OwnershipLost, Rebalancing) as error:
            log.info("commit refused", cause=str(error), next="the new owner will read its records again")
        except Retryable as error:
            log.warning("commit not answered", cause=str(error), next="its records may be read again")
            return False
        return True

    def pause(self) -> None:
        """Stop fetching from every partition held and any assigned later; `poll` still handles rebalances."""
        self._rebalances.pause(self._consumer)

    def resume(self) -> None:
        """Undo `pause`."""
        self._rebalances.resume(self._consumer)

    def _has_joined(self) -> bool:
        if not self._is_member:
            with suppress(Fatal):  # an unknown format; only transactions need it, and they report it
                self._is_member = generation(self._consumer.consumer_group_metadata()) >= 0
        return self._is_member

    def confirm(self, offsets: dict[Assignment, int]) -> None:
        """Record that a transaction has committed these next offsets."""
        self._assignments.confirm(offsets)

    def group_metadata(self) -> bytes:
        """Return the current member and generation for a transaction's offsets (KIP-447); call once per transaction."""
        metadata: bytes = self._consumer.consumer_group_metadata()
        return metadata

    def committed(self, assignments: Sequence[Assignment], timeout_seconds: float) -> dict[Assignment, int]:
        """Return the next offsets the broker has committed, after any open transactions; omits those without one.

        Raises:
            Retryable: The broker did not respond in time.
        """
        try:
            found = self._consumer.committed(partitions_of(assignments), timeout=timeout_seconds)
        except KafkaException as error:
            raise Retryable(describe(error_of(error))) from None
        failed = next((p.error for p in found if p.error is not None), None)
        if failed is not None:
            raise Retryable(describe(failed))
        offsets = {key(p): p.offset for p in found if p.offset >= 0}
        return {a: offsets[a.key] for a in assignments if a.key in offsets}

    def close(self) -> None:
        """Leave the group, without committing anything. Never raises; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._rebalances.end()
        leave(self._consumer, is_broken=self._fault is not None or self._commits.fault is not None)

    def _serve_client_error(self, error: KafkaError) -> None:
        """Handle a client-wide error, usually a lost connection, which librdkafka reopens by itself."""
        if error.code() in NO_TOPIC:
            self._watches.look_soon()
        elif self._availability.last_contact is None and (fault := refused_connection(error)) is not None:
            self._fault = fault
        else:
            self._availability.connection_failed(error)
