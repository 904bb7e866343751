"""Comparisons as records of the examples topic (`schemas.ShadowExample`): ids and scores, never a text."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from pydantic_core import to_json

from schemas.identity import event_id
from schemas.shadow import EXAMPLE_VERSION
from schemas.timestamps import rfc3339
from worker.kafka.client.error_codes import describe, error_of
from worker.kafka.client.properties import make_client, producer_properties
from worker.protocols import WallClock
from worker.settings import ExamplesKept, Settings
from worker.shadow.comparison import Compared, Flag
from worker.shadow.counting import Example
from worker.shadow.sampled import Scorer, Verdict
from worker.verdicts import Tier

log = logging.getLogger(__name__)

_MILLISECONDS = 1000
_QUEUE_RECORDS = 10_000
_SETTLE_SECONDS = 1.0

_FATAL = (KafkaException, SystemError)
"""How serving a client that has failed fatally ends: the client sets its exception, and may go on to call `_report` or
a logger; the first function in C that those call then turns it into a SystemError."""


class Examples:
    """Publishes examples as well as it can: one that is not delivered is counted, and nobody waits for any.

    No failure is raised: a comparison goes on without its examples. After a fatal error of the client, which lasts for
    the client's life, the examples that follow are only counted as failed.

    Args:
        settings: Name the cluster and the topic.
        topic: The topic.
        clock: Seconds since the epoch.
        count: Told `sent` or `failed` for each.

    Raises:
        SettingsInvalid: librdkafka rejects a property.
    """

    def __init__(self, settings: Settings, topic: str, clock: WallClock, count: Callable[[str], None]) -> None:
        self._topic = topic
        self._kept = settings.shadow.examples
        self._clock = clock
        self._count = count
        self._sent = self._lost = self._unreported = 0
        self._why: KafkaError | None = None
        self._failed_before = False
        properties = producer_properties(settings) | {"queue.buffering.max.messages": _QUEUE_RECORDS}
        self._producer: Producer = make_client(Producer, properties)

    def publish(self, candidate: Scorer, examples: Sequence[Example]) -> None:
        """Leave these to be sent; `serve` counts what became of them."""
        for compared, differing in examples:
            try:
                value = example(compared, candidate, differing, self._kept, self._clock())
                self._producer.produce(self._topic, to_json(value), value["event_id"], on_delivery=self._report)
                self._unreported += 1
            except BufferError:
                self._failed("the queue is full")
            except KafkaException as error:
                self._failed(describe(error_of(error)))
            except ValueError as error:  # a name that is no Unicode, such as half of a surrogate pair
                self._failed(type(error).__name__)
        self.serve()

    def serve(self) -> None:
        """Count what was delivered or failed since the last call; waits for nothing."""
        try:
            self._producer.poll(0)
        except _FATAL as error:
            self._warn_of_the_end(error)
        self._count_reports()

    def close(self) -> None:
        """Wait a little for what is not delivered yet; what is left then is counted as failed."""
        try:
            self._producer.flush(_SETTLE_SECONDS)
        except _FATAL as error:
            self._warn_of_the_end(error)
        self._count_reports()
        # Not the length of the client's queue, in which its errors and statistics count as well.
        for _ in range(self._unreported):
            self._failed("the worker or the shadow has ended")

    def _report(self, error: KafkaError | None, _: Message) -> None:
        # Without a call, so that a report that comes with the client's exception set (`_FATAL`) is not lost.
        self._unreported -= 1
        if error is None:
            self._sent += 1
        else:
            self._lost += 1
            self._why = error

    def _count_reports(self) -> None:
        sent, lost, self._sent, self._lost = self._sent, self._lost, 0, 0
        for _ in range(sent):
            self._count("sent")
        for _ in range(lost):
            self._failed(describe(self._why) if self._why else "")

    def _warn_of_the_end(self, error: KafkaException | SystemError) -> None:
        fatal = error if isinstance(error, KafkaException) else error.__cause__
        why = describe(error_of(fatal)) if isinstance(fatal, KafkaException) else str(error)
        log.warning("no more examples are published to %s until the worker starts again: %s", self._topic, why)

    def _failed(self, why: str) -> None:
        self._count("failed")
        if not self._failed_before:
            log.warning("an example could not be published to %s, and others may follow: %s", self._topic, why)
        self._failed_before = True


def example(
    compared: Compared, candidate: Scorer, differing: Sequence[Flag], kept: ExamplesKept, wall_seconds: float
) -> dict[str, Any]:
    """The value of an example, as JSON values."""
    one = compared.sampled
    incumbent = one.incumbent
    at = rfc3339(int(wall_seconds * _MILLISECONDS)) or b""
    named = (incumbent.identity.digest, incumbent.threshold_set, one.topic_id, incumbent.view)
    return {
        "schema_version": EXAMPLE_VERSION,
        "event_id": event_id(one.topic, one.partition, one.offset, *named),
        "comment_id": one.comment_id,
        "source": {
            "topic": one.topic,
            "topic_id": one.topic_id or None,
            "partition": one.partition,
            "offset": one.offset,
        },
        "incumbent": _verdict(incumbent, one.verdict),
        "candidate": _verdict(candidate, compared.candidate),
        "differences": [flag._asdict() for flag in differing],
        "kept": kept,
        "compared_at": at.decode(),
    }


def _verdict(scorer: Scorer, verdict: Verdict) -> dict[str, Any]:
    return {
        "model": scorer.identity._asdict(),
        "threshold_set": scorer.threshold_set,
        "view": scorer.view,
        "scores": verdict.scores,
        "tiers": {label: Tier.ACT if label in verdict.acted else Tier.REVIEW for label in verdict.labels},
    }
