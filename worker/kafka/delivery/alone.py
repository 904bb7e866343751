"""Sends records each in a request of its own, for what a broker refused together with others.

A broker refuses a whole request for one record in it, so only a record that is refused alone is at fault.
"""

from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Producer

from worker.events.refused_record import Form, Refusal
from worker.kafka.client.error_codes import error_of
from worker.kafka.client.producing import produce
from worker.protocols import Encode

_WAIT_SECONDS = 0.1


class Alone:
    """Sends with the producer that all else goes through, once nothing is under way.

    Args:
        producer: An idempotent one.
        encode: Makes the record of an outcome.
        serve: Serves the producer's reports for so many seconds; raises what ends the worker.
        refusal_of: Why a topic refuses a record; raises if the error is not about the record.
    """

    def __init__(
        self,
        producer: Producer,
        encode: Encode,
        serve: Callable[[float], None],
        refusal_of: Callable[[KafkaError, str], Refusal],
    ) -> None:
        self._producer = producer
        self._encode = encode
        self._serve = serve
        self._refusal_of = refusal_of

    def wait_for_reports(self) -> None:
        """Wait for the report of every record. Bounded: librdkafka reports each within `delivery.timeout.ms`."""
        while len(self._producer):
            self._producer.flush(_WAIT_SECONDS)  # unlike a poll it does not wait for `linger.ms`
            self._serve(0)

    def send(self, form: Form) -> Form | None:
        """Send a record and wait; return what takes its place if it is refused, None if it is acknowledged.

        Raises:
            Fatal: It is a dead letter that nothing can replace, or the error is not about the record.
        """
        outgoing = form.encoded(self._encode)
        if outgoing is None:
            return None
        reports: list[KafkaError | None] = []
        try:
            produce(self._producer, outgoing, lambda error, _: reports.append(error), self._serve)
        except KafkaException as exception:
            reports.append(error_of(exception))
        else:
            self.wait_for_reports()
        (error,) = reports
        return None if error is None else form.after(self._refusal_of(error, outgoing.topic), outgoing)

    def deliver(self, form: Form) -> None:
        """Send a record, and what takes its place for as long as that is refused."""
        refused: Form | None = form
        while refused is not None:
            refused = self.send(refused)
