"""A rejected record as a dead letter: its own bytes, and headers that say why it is here.

Header names are Kafka Connect's (KIP-298) with what Connect lacks under `dlq.`; `schemas.dead_letter` describes them.
They replace those of an earlier failure: headers that only grow end as records too large to send (spring-kafka#1994).
"""

from schemas.dead_letter import CONNECT_PREFIX
from schemas.timestamps import rfc3339
from worker.protocols import WallClock
from worker.settings import Settings
from worker.types import Headers, Outgoing, Rejected, Stage

ORIGIN_HEADER = "dlq.origin"
REPLAY_COUNT_HEADER = "dlq.replay_count"

_CLASS_NAMES = {
    Stage.DECODE: b"worker.events.decoding.Decoder",
    Stage.VALIDATE: b"worker.events.decoding.Decoder",
    Stage.TOKENIZE: b"worker.classifier.Classifier",
    Stage.INFERENCE: b"worker.classifier.Classifier",
    Stage.PRODUCE: b"worker.kafka.Publisher",
}
_OWN_HEADERS = frozenset({"dlq.consumer_group", "dlq.attempts", "dlq.failed_at", "dlq.model_id"})
_MAX_NAME_BYTES = 1024
_MAX_MESSAGE_BYTES = 1024
_FIRST_ATTEMPT = b"1"


class DeadLetterEncoder:
    """Encodes `Rejected` outcomes.

    Args:
        settings: Names the topic, the group and the application.
        task_id: Name of this worker's instance, for example the host's.
        model_id: Model that was to score the record.
        clock: Seconds since the epoch, for `dlq.failed_at`.
    """

    def __init__(self, settings: Settings, *, task_id: str, model_id: str, clock: WallClock) -> None:
        self._topic = settings.dead_letters.topic
        self._clock = clock
        self._constant: list[tuple[str, bytes | None]] = [
            (CONNECT_PREFIX + "connector.name", _cut(settings.kafka.client_id, _MAX_NAME_BYTES)),
            (CONNECT_PREFIX + "task.id", _cut(task_id, _MAX_NAME_BYTES)),
            ("dlq.consumer_group", _cut(settings.kafka.group_id, _MAX_NAME_BYTES)),
            ("dlq.attempts", _FIRST_ATTEMPT),
            ("dlq.model_id", _cut(model_id, _MAX_NAME_BYTES)),
        ]

    def encode(self, outcome: Rejected) -> Outgoing:
        """The record to produce: key, value and timestamp as they came, headers as they came and then ours."""
        record = outcome.record
        topic, partition, offset = record.topic() or "", record.partition() or 0, record.offset() or 0
        received: Headers = record.headers() or ()
        headers: list[tuple[str, bytes | None]] = [*strip_failure(received), *self._constant]
        if not any(name == ORIGIN_HEADER for name, _ in received):
            headers.append((ORIGIN_HEADER, f"{topic}/{partition}/{offset}".encode()))
        headers += (
            (CONNECT_PREFIX + "topic", topic.encode()),
            (CONNECT_PREFIX + "partition", b"%d" % partition),
            (CONNECT_PREFIX + "offset", b"%d" % offset),
            (CONNECT_PREFIX + "stage", outcome.stage.value.encode()),
            (CONNECT_PREFIX + "class.name", _CLASS_NAMES[outcome.stage]),
            (CONNECT_PREFIX + "exception.class.name", _cut(outcome.error, _MAX_NAME_BYTES)),
            (CONNECT_PREFIX + "exception.message", _cut(outcome.reason, _MAX_MESSAGE_BYTES)),
            ("dlq.failed_at", rfc3339(int(self._clock() * 1000))),
        )
        _, milliseconds = record.timestamp()
        return Outgoing(self._topic, record.key(), record.value(), headers, max(0, milliseconds))


def strip_failure(headers: Headers) -> list[tuple[str, bytes | None]]:
    """The headers without those that describe a failure; origin and replay count stay."""
    return [header for header in headers if not header[0].startswith(CONNECT_PREFIX) and header[0] not in _OWN_HEADERS]


def _cut(text: str, most_bytes: int) -> bytes:
    """UTF-8 of the text, cut between characters."""
    encoded = text.encode(errors="replace")
    return encoded if len(encoded) <= most_bytes else encoded[:most_bytes].decode(errors="ignore").encode()
