"""At-least-once delivery: publish, wait for every acknowledgement, then commit.

The producer is idempotent, so a retry inside it neither doubles nor reorders. Every record's delivery report is counted
on its own; `flush() == 0` or an empty queue would not tell a delivered record from a failed one. A report costs 0.8 us
of CPU a record over none at all, measured; that is the price of knowing.
"""

import logging
from collections import deque
from dataclasses import dataclass, field
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from worker.errors import Fatal, NoBroker, OwnershipLost, Retryable
from worker.events.record_too_large import dead_letter_of
from worker.kafka.client.error_codes import REFUSED, TOO_LARGE, describe, error_of, refused
from worker.kafka.client.properties import make_client, producer_properties
from worker.protocols import Clock, Encode, Source
from worker.settings import Settings
from worker.types import Batch, Outcome, Outgoing

log = logging.getLogger(__name__)

_FULL_QUEUE_POLL_SECONDS = 0.1


@dataclass(slots=True)
class _Delivery:
    """One batch on its way.

    Attributes:
        batch: What is delivered.
        unacknowledged: Records whose report has not come.
        too_large: Outcomes whose record the broker found too large, alone or with those it was sent along with.
    """

    batch: Batch
    unacknowledged: int = 0
    too_large: list[Outcome] = field(default_factory=list)


class AtLeastOncePublisher:
    """Delivers batches in order and hands their offsets to the source; implements `worker.protocols.Publisher`.

    Args:
        settings: The worker's settings; `kafka`, `delivery` and the topics are read.
        source: Commits the offsets.
        encode: From an outcome to its record.
        clock: Monotonic seconds.

    Raises:
        SettingsInvalid: A property is refused, by the worker or by librdkafka.
    """

    def __init__(self, settings: Settings, source: Source, encode: Encode, *, clock: Clock) -> None:
        self._source = source
        self._encode = encode
        self._clock = clock
        self._timeout_seconds = settings.delivery.timeout_seconds
        self._dead_letter_topic = settings.dead_letters.topic
        self._deliveries: deque[_Delivery] = deque()
        self._brokers_down = False
        self._fault: Exception | None = None
        self._closed = False
        self._producer: Producer = make_client(
            Producer, producer_properties(settings), error_cb=self._serve_client_error
        )

    @property
    def pending(self) -> int:
        """Batches published but not yet settled."""
        return len(self._deliveries)

    def publish(self, batch: Batch) -> None:
        """Begin to deliver every outcome of an assignment that is still owned.

        Raises:
            Fatal: A dead letter is too large for the client, or the producer is broken.
        """
        delivery = _Delivery(batch)
        encode = self._encode
        for outcome in batch.outcomes:
            if outcome.assignment.owned:
                outgoing = encode(outcome)
                if outgoing is not None:
                    self._produce(delivery, outcome, outgoing)
        self._deliveries.append(delivery)

    def settle(self, timeout_seconds: float) -> list[Batch]:
        """Serve delivery reports and commit, in order, the batches whose outcomes are all acknowledged.

        Raises:
            Fatal: An outcome cannot be delivered; its batch stays uncommitted.
            NoBroker: Likewise, because no broker answers.
        """
        self._serve(timeout_seconds)
        settled: list[Batch] = []
        while self._deliveries and not self._deliveries[0].unacknowledged:
            delivery = self._deliveries[0]
            suspects, delivery.too_large = delivery.too_large, []
            for outcome in suspects:
                self._deliver_alone(delivery, outcome)
            self._deliveries.popleft()
            self._source.commit(delivery.batch.offsets, wait=False)
            settled.append(delivery.batch)
        return settled

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until nothing is pending and the last commit is answered; False when the time ran out.

        A group that is being divided anew answers too: what it did not take will be read again by the next owner.
        """
        deadline = self._clock() + timeout_seconds
        while self._deliveries:
            left = deadline - self._clock()
            if left <= 0:
                return False
            self.settle(min(left, _FULL_QUEUE_POLL_SECONDS))
        try:
            self._source.commit({}, wait=True)
        except OwnershipLost as lost:
            log.info("the last commit came too late, its records will be read again: %s", lost)
        except Retryable as fault:
            log.warning("the last commit was not answered, its records will be read again: %s", fault)
            return False
        return True

    def close(self) -> None:
        """Give up what is not delivered and release the producer. Never raises; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._deliveries.clear()
        try:
            self._producer.purge()
            self._producer.flush(0)
        except KafkaException as fault:
            log.warning("the producer did not close cleanly: %s", describe(error_of(fault)))

    def _produce(self, delivery: _Delivery, outcome: Outcome, outgoing: Outgoing) -> None:
        while True:
            topic, key, value, headers, timestamp_ms = outgoing
            report = partial(self._serve_report, delivery, outcome)
            try:
                self._producer.produce(topic, value, key, -1, report, None, timestamp_ms, headers)  # type: ignore[arg-type] # the stub's list is invariant
            except BufferError:
                self._serve(_FULL_QUEUE_POLL_SECONDS)  # reports make room
            except KafkaException as fault:
                if error_of(fault).code() != TOO_LARGE:
                    raise self._undeliverable(error_of(fault)) from None
                outcome = self._rejected(delivery, outcome, outgoing)
                outgoing = self._encoded(outcome)
            else:
                delivery.unacknowledged += 1
                return

    def _deliver_alone(self, delivery: _Delivery, outcome: Outcome) -> None:
        """Send again what was refused as too large, and wait.

        The broker refuses a whole request, so those that were sent along with a large record are refused with it. What
        is refused alone is too large indeed and goes to the dead letters.
        """
        outgoing = self._encoded(outcome)
        self._produce(delivery, outcome, outgoing)
        while delivery.unacknowledged:  # bounded: librdkafka reports each record within delivery.timeout.ms
            self._serve(_FULL_QUEUE_POLL_SECONDS)
        if delivery.too_large:
            delivery.too_large.clear()
            self._deliver_alone(delivery, self._rejected(delivery, outcome, outgoing))

    def _rejected(self, delivery: _Delivery, outcome: Outcome, outgoing: Outgoing) -> Outcome:
        """The rejection that takes the place of an outcome whose record is too large, in its batch as well."""
        rejected = dead_letter_of(outcome, outgoing, self._dead_letter_topic)
        outcomes = delivery.batch.outcomes
        outcomes[next(index for index, one in enumerate(outcomes) if one is outcome)] = rejected
        return rejected

    def _encoded(self, outcome: Outcome) -> Outgoing:
        outgoing = self._encode(outcome)
        assert outgoing is not None  # noqa: S101 - only what publishes something is sent again or rejected
        return outgoing

    def _serve(self, timeout_seconds: float) -> None:
        try:
            self._producer.poll(timeout_seconds)
        except KafkaException as fault:  # a fatal error comes this way, and error_cb is not told of it
            raise self._undeliverable(error_of(fault)) from None
        if self._fault is not None:
            raise self._fault

    def _serve_report(self, delivery: _Delivery, outcome: Outcome, error: KafkaError | None, _: Message) -> None:
        delivery.unacknowledged -= 1
        if error is None:
            self._brokers_down = False
        elif error.code() == TOO_LARGE:
            delivery.too_large.append(outcome)
        elif not self._closed and self._fault is None:
            self._fault = self._undeliverable(error)

    def _serve_client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - how the library names its own codes
            self._brokers_down = True

    def _undeliverable(self, error: KafkaError) -> Exception:
        if error.code() in REFUSED:
            return refused(error, "to let the worker write its output or dead letter topic")
        if self._brokers_down:
            return NoBroker(
                f"no broker answered for delivery.timeout_seconds = {self._timeout_seconds:g}, so an event could not "
                "be delivered. It is not committed and will be read again"
            )
        advice = (
            "create it with `sluice topics`"
            if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)  # noqa: SLF001
            else "look at the brokers' health and their in-sync replicas, then start again"
        )
        return Fatal(
            f"an event could not be delivered ({describe(error)}). It is not committed and will be read again: {advice}"
        )
