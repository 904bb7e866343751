"""One transactional producer, and what each of its errors calls for.

The rules are librdkafka's (INTRODUCTION.md, "Transactional producer"): it repeats retriable requests itself for as long
as the transaction may last; an error that requires an abort, a fatal error and a fenced producer end the transaction. A
transaction that ended so, or whose end is unknown, is never continued and never aborted in place. A new producer takes
the same `transactional.id`, which makes the coordinator complete or abort whatever the old one left and reject its late
requests. librdkafka does not implement KIP-890; without it, an epoch that is used again could accept a late request of
an earlier transaction.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from worker.errors import Fatal, Retryable, SettingsInvalid
from worker.kafka.client.error_codes import OWNERSHIP_LOST, REFUSED, describe, error_of, refused, refused_connection
from worker.kafka.client.producing import Report, produce
from worker.kafka.client.properties import make_client, producer_properties
from worker.kafka.client.rights import Right, right_to_transactions
from worker.kafka.delivery.background_call import BackgroundCall
from worker.kafka.embedded.broker import CLUSTER_ID_PREFIX
from worker.settings import Settings
from worker.types import Outgoing

log = logging.getLogger(__name__)

_CALL_SECONDS = 1.0
_STEP_SECONDS = 0.005
_TRANSACTION_TIMEOUT = -1


class UnderWay(Retryable):
    """The call continues in the background: calling again resumes it."""


class TransactionFailed(Exception):
    """The transaction is over, or its end is unknown; only a new producer can find out and continue."""


class TransactionalProducer:
    """Wraps the transactional calls of one producer.

    `initialize` takes about a second at most, `send_offsets` and `commit` some milliseconds: they raise `UnderWay`
    until they are done, so that the consumer is polled and the model fed meanwhile. All raise `Retryable` if the call
    should be repeated, `TransactionFailed` if the producer must be replaced, `Fatal` if a person must help.
    """

    def __init__(self, settings: Settings, transactional_id: str) -> None:
        self._settings = settings
        self._errors = _ClientErrors()
        self._background: BackgroundCall | None = None
        # Its callback must not lead back to it. A reference cycle would be left to the collector, which looks seldom;
        # a replaced client that is not destroyed keeps its five threads and its connections.
        self._open: Producer | None = make_client(
            Producer, producer_properties(settings, transactional_id), error_cb=self._errors.serve
        )

    @property
    def brokers_down(self) -> bool:
        """Whether librdkafka's last word was that no broker answers."""
        return self._errors.brokers_down

    @property
    def _producer(self) -> Producer:
        if self._open is None:
            message = "its producer was discarded"
            raise TransactionFailed(message)
        return self._open

    def initialize(self) -> None:
        """Fence earlier producers of this id, and wait until their last transaction has ended."""
        self._call("to use transactions", self._producer.init_transactions, _CALL_SECONDS)

    def check_cluster(self) -> None:
        """Refuse the embedded broker.

        Raises:
            SettingsInvalid: It is one.
            Fatal: The broker refuses the connection.
            Retryable: Nobody answers yet.
        """
        try:
            cluster_id = self._producer.list_topics(timeout=_CALL_SECONDS).cluster_id
        except KafkaException as error:
            self.poll(0)  # its error says why there is no connection
            if self._errors.refused is not None:
                raise self._errors.refused from None
            raise Retryable(describe(error_of(error))) from None
        if str(cluster_id).startswith(CLUSTER_ID_PREFIX):
            message = (
                "delivery.guarantee = exactly-once needs a real broker: the embedded one accepts transactions and "
                "ignores them. Use at-least-once, or set kafka.bootstrap_servers to a Kafka of your own"
            )
            raise SettingsInvalid(message)

    def begin(self) -> None:
        """Open a transaction."""
        self._call("to begin a transaction", self._producer.begin_transaction)

    def produce(self, outgoing: Outgoing, report: Report) -> None:
        """Add a record.

        Raises:
            KafkaException: As `Producer.produce`; BufferError never.
        """
        produce(self._producer, outgoing, report, self.poll)

    @property
    def undelivered(self) -> int:
        """Records that have not been reported."""
        return 0 if self._open is None else len(self._open)

    def poll(self, timeout_seconds: float) -> None:
        """Serve reports and errors; the next transactional call reports a fatal one again."""
        with suppress(KafkaException, TransactionFailed):
            self._producer.poll(timeout_seconds)

    def flush(self, timeout_seconds: float) -> None:
        """As `poll`, and send what waits for `linger.ms`."""
        with suppress(KafkaException, TransactionFailed):
            self._producer.flush(timeout_seconds)

    def why_undelivered(self, *topics: str) -> str:
        """Why records for these topics are not acknowledged; empty if no cause can be found."""
        try:
            # All topics: asking for one by name would create it on a broker that allows that.
            known = self._producer.list_topics(timeout=_CALL_SECONDS).topics
        except KafkaException as exception:
            return f"no broker answered ({describe(self._errors.last or error_of(exception))})"
        if missing := [topic for topic in topics if topic not in known]:
            return f"{' and '.join(missing)} does not exist: create it with `sluice topics`"
        return describe(self._errors.last) if self._errors.last is not None else ""

    def send_offsets(self, offsets: list[TopicPartition], metadata: bytes) -> None:
        """Add the group's offsets (KIP-447); a resumed call has those of the first one."""
        send = self._producer.send_offsets_to_transaction
        self._in_background("to commit this group's offsets", send, offsets, metadata, _TRANSACTION_TIMEOUT)

    def commit(self) -> None:
        """End the transaction."""
        self._in_background("to commit a transaction", self._producer.commit_transaction, _TRANSACTION_TIMEOUT)
        self._errors.forget()

    def abort(self) -> None:
        """Abort the transaction, so that another may begin with this producer."""
        self._call("to abort a transaction", self._producer.abort_transaction, _CALL_SECONDS)

    def discard(self) -> None:
        """Stop sending; never raises. What is open is ended by the next producer of this id, or by the coordinator."""
        if self._open is None:
            return
        try:
            self._open.purge()
            self._open.flush(0)
        except KafkaException as error:  # a fatal producer may refuse; it sends nothing more either way
            log.debug("a discarded producer was not emptied: %s", describe(error_of(error)))
        discarded, self._open = [self._open], None
        Thread(target=discarded.clear, name="discarded-producer", daemon=True).start()  # its destruction may block

    def _in_background(self, to_do: str, call: Callable[..., Any], *arguments: Any) -> None:
        """Make the call in the background, or resume the one under way.

        Timeouts of milliseconds would do the same, but librdkafka advises against them: a resumed `commit_transaction`
        that runs out of time at its beginning forgets that the coordinator was asked, and the coordinator's answer ends
        the process. With the transaction's own timeout, an error that comes back as retriable has used up that time.
        """
        if self._background is None:
            self._background = BackgroundCall(call, *arguments)
        ended = True
        try:
            ended = self._background.ended(_STEP_SECONDS)
        except KafkaException as error:
            found = self._classified(error_of(error), to_do)
            raise (TransactionFailed(str(found)) if isinstance(found, Retryable) else found) from None
        finally:
            if ended:
                self._background = None
        if not ended:
            message = f"the broker was asked {to_do} and has not answered yet"
            raise UnderWay(message)

    def _call(self, to_do: str, call: Callable[..., Any], *arguments: Any) -> None:
        try:
            call(*arguments)
        except KafkaException as error:
            raise self._classified(error_of(error), to_do) from None

    def _classified(self, error: KafkaError, to_do: str) -> Exception:
        return classified(error, to_do, right_to_transactions(error, self._settings))


class _ClientErrors:
    """What the client reported last.

    Attributes:
        brokers_down: That no broker answers.
        last: The last error.
        refused: What to raise for an error that no retry fixes, such as a wrong password.
    """

    def __init__(self) -> None:
        self.brokers_down = False
        self.last: KafkaError | None = None
        self.refused: Fatal | None = None

    def serve(self, error: KafkaError) -> None:
        # The next transactional call reports a fatal error again, and classifies it.
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self.brokers_down = True
        self.last = error
        self.refused = refused_connection(error) or self.refused

    def forget(self) -> None:
        """The broker has answered since."""
        self.brokers_down = False
        self.last = None


def classified(error: KafkaError, to_do: str, right: Right) -> Exception:
    """The exception that says what an error of a transactional call calls for; `right` is what a refusal is about."""
    if error.code() in REFUSED:
        return refused(error, to_do, right)
    if error.code() == KafkaError.INVALID_TRANSACTION_TIMEOUT:
        return Fatal(
            f"{describe(error)}: delivery.transaction_timeout_seconds is above the brokers' transaction.max.timeout.ms"
        )
    if error.fatal() or error.txn_requires_abort() or error.code() in OWNERSHIP_LOST:
        return TransactionFailed(describe(error))
    if error.retriable():
        under_way = error.code() == KafkaError._TIMED_OUT
        return UnderWay(describe(error)) if under_way else Retryable(describe(error))
    return Fatal(f"a transaction can't go on: the broker was asked {to_do} and said {describe(error)}")


def not_taken(error: KafkaError, topic: str) -> Exception:
    """The exception for a record that was not taken, mostly because the transaction has failed meanwhile."""
    if error.code() in REFUSED:
        return refused(error, f"to let the worker write to {topic}", Right("Write", "topic", topic))
    return TransactionFailed(f"a record for {topic} was not taken ({describe(error)})")
