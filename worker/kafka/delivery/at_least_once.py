"""At-least-once delivery: publish, wait for every acknowledgement, then commit.

The producer is idempotent, so its own retries neither duplicate nor reorder records. Every delivery report is counted:
`flush() == 0` or an empty queue would not distinguish a delivered record from a failed one. Counting costs 0.8 us of
CPU per record, measured.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from worker.errors import Fatal, NoBroker
from worker.events.refused_record import Form, Refusal
from worker.facts import DeliveryFacts
from worker.kafka.client.error_codes import REFUSED, describe, error_of, refused
from worker.kafka.client.producing import produce
from worker.kafka.client.properties import make_client, producer_properties
from worker.kafka.client.rights import Right
from worker.kafka.delivery.alone import Alone
from worker.kafka.delivery.refusals import REFUSALS
from worker.protocols import Encode, RejectionLimit, Source
from worker.settings import Settings
from worker.types import Batch, Outcome, Rejected, Settled

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Delivery:
    """One batch in delivery.

    Attributes:
        batch: What is to be committed.
        outcomes: What is delivered: those of an assignment that is still owned.
        unacknowledged: Records without a delivery report.
        suspects: Outcomes whose record the broker refused together with the rest of its request.
        refused: Outcomes whose record the client refused by itself, and what takes their place.
    """

    batch: Batch
    outcomes: Sequence[Outcome]
    unacknowledged: int = 0
    suspects: list[Outcome] = field(default_factory=list)
    refused: list[tuple[Outcome, Form]] = field(default_factory=list)


class AtLeastOncePublisher:
    """Delivers batches in order and hands their offsets to the source; implements `worker.protocols.Publisher`.

    Args:
        settings: The worker's settings; `kafka`, `delivery` and the topics are read.
        source: Commits the offsets.
        encode: Makes the record of an outcome.
        limit: Counts the rejections of each batch before its commit.

    Raises:
        SettingsInvalid: A property is refused, by the worker or by librdkafka.
    """

    def __init__(self, settings: Settings, source: Source, encode: Encode, limit: RejectionLimit) -> None:
        self._source = source
        self._encode = encode
        self._limit = limit
        self._timeout_seconds = settings.delivery.timeout_seconds
        self._deliveries: deque[_Delivery] = deque()
        self._brokers_down = False
        self._error: Exception | None = None
        self._closed = False
        self._producer: Producer = make_client(
            Producer, producer_properties(settings), error_cb=self._serve_client_error
        )
        self._alone = Alone(self._producer, encode, self._serve, self._refusal)

    @property
    def pending(self) -> int:
        """Batches published but not yet settled."""
        return len(self._deliveries)

    def publish(self, batch: Batch) -> None:
        """Begin to deliver every outcome of an assignment that is still owned.

        Raises:
            Fatal: A dead letter is too large for the client, or the producer is broken.
        """
        delivery = _Delivery(batch, batch.owned_outcomes())
        producer, encode, serve, serve_report = self._producer, self._encode, self._serve, self._serve_report
        produced = 0
        for outcome in delivery.outcomes:
            if (outgoing := encode(outcome)) is not None:
                try:
                    produce(producer, outgoing, partial(serve_report, delivery, outcome), serve)
                except KafkaException as exception:
                    refusal = self._refusal(error_of(exception), outgoing.topic)
                    delivery.refused.append((outcome, Form(outcome).after(refusal, outgoing)))
                else:
                    produced += 1
        delivery.unacknowledged += produced  # less what was reported while the queue was full
        self._deliveries.append(delivery)

    def settle(self, timeout_seconds: float) -> list[Settled]:
        """Serve delivery reports and commit, in order, the batches whose outcomes are all acknowledged.

        Raises:
            Fatal: An outcome cannot be delivered; its batch stays uncommitted.
            NoBroker: Likewise, because no broker answers.
            BreakerOpen: Too many events were refused; their batch stays uncommitted.
        """
        self._serve(timeout_seconds)
        settled: list[Settled] = []
        while self._deliveries and not self._deliveries[0].unacknowledged:
            delivery = self._deliveries[0]
            outcomes = delivery.outcomes
            if delivery.suspects or delivery.refused:
                outcomes = self._deliver_refused(delivery)
            self._limit.admit(outcomes)
            self._deliveries.popleft()
            self._source.commit(delivery.batch.offsets)
            settled.append(Settled(delivery.batch, outcomes))
        return settled

    def facts(self) -> DeliveryFacts:
        """There are no transactions to count."""
        return DeliveryFacts()

    def close(self) -> None:
        """Abandon what is not delivered and release the producer. Never raises; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._deliveries.clear()
        try:
            self._producer.purge()
            self._producer.flush(0)
        except KafkaException as error:
            log.warning("the producer did not close cleanly", cause=describe(error_of(error)))

    def _deliver_refused(self, delivery: _Delivery) -> list[Outcome]:
        """Send the suspects again, each alone, then send a replacement for each record that is refused again.

        Returns:
            The outcomes of the batch as they are delivered.

        Raises:
            BreakerOpen: Too many are refused; no replacement has been sent.
        """
        self._alone.wait_for_reports()  # of later batches too: a suspect must be alone in its request
        self._send_suspects(delivery)
        forms = {id(outcome): form for outcome, form in delivery.refused}
        outcomes = [forms[id(o)].outcome if id(o) in forms else o for o in delivery.outcomes]
        self._limit.check(outcomes)
        for form in forms.values():
            self._alone.deliver(form)
        return outcomes

    def _send_suspects(self, suspected: _Delivery) -> None:
        """Send the suspects of a batch again, each alone, and behind them what their keys' later records have become.

        Other requests were accepted meanwhile, of this batch and of later ones. An event that came before an earlier
        one of its key is repeated behind it: the last under a key has to be about the comment as it reads now, and if
        that is a deletion, a text from before must not live on behind it in a compacted topic.
        """
        suspects = {id(outcome) for outcome in suspected.suspects}
        overtaken: set[bytes] = set()
        repeated = 0
        for delivery in self._deliveries:
            refused = {id(outcome) for outcome, _ in delivery.refused} | {id(o) for o in delivery.suspects}
            for outcome in delivery.outcomes:
                is_suspect = id(outcome) in suspects
                # A dead letter is in another topic, whose order nobody relies on.
                key = None if type(outcome) is Rejected else outcome.record.key()
                if not is_suspect and (key not in overtaken or id(outcome) in refused):
                    continue
                if (instead := self._alone.send(Form(outcome))) is not None:
                    delivery.refused.append((outcome, instead))
                elif not is_suspect:
                    repeated += 1
                elif key is not None:
                    overtaken.add(key)
        if repeated:
            log.info(
                "events were sent again, behind earlier ones of their keys that were refused at first", events=repeated
            )

    def _serve(self, timeout_seconds: float) -> None:
        try:
            self._producer.poll(timeout_seconds)
        except KafkaException as exception:  # a fatal error is raised here and not given to error_cb
            raise self._undeliverable(error_of(exception), None) from None
        if self._error is not None:
            raise self._error

    def _serve_report(self, delivery: _Delivery, outcome: Outcome, error: KafkaError | None, record: Message) -> None:
        delivery.unacknowledged -= 1
        if error is None:
            self._brokers_down = False
        elif error.code() in REFUSALS:
            delivery.suspects.append(outcome)
        elif not self._closed and self._error is None:
            self._error = self._undeliverable(error, record.topic())

    def _serve_client_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._brokers_down = True

    def _refusal(self, error: KafkaError, topic: str) -> Refusal:
        """Why the topic refuses a record; raises if the error is not about the record."""
        refusal = REFUSALS.get(error.code())
        if refusal is None:
            raise self._undeliverable(error, topic)
        return refusal

    def _undeliverable(self, error: KafkaError, topic: str | None) -> Exception:
        where = f" to {topic}" if topic else ""
        if error.code() in REFUSED:
            right = Right("Write", "topic", topic) if topic else None
            return refused(error, f"to let the worker write{where or ' its output or dead letter topic'}", right)
        if self._brokers_down:
            return NoBroker(
                f"no broker answered for delivery.timeout_seconds = {self._timeout_seconds:g}, so a record could not "
                f"be delivered{where}. It is not committed and will be read again"
            )
        advice = (
            "create the topic with `sluice topics`"
            if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
            else "look at the brokers' health and their in-sync replicas, then start again"
        )
        return Fatal(
            f"a record could not be delivered{where} ({describe(error)}). It is not committed and will be read again: "
            f"{advice}"
        )
