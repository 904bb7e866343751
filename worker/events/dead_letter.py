"""A rejected record as a dead letter: its own bytes, and headers that say why it was rejected.

Header names are Kafka Connect's (KIP-298), with `dlq.` for what Connect lacks; `schemas.dead_letter` describes them.
They replace those of an earlier failure: headers that only grow end in records too large to send (spring-kafka#1994).
"""

from schemas.dead_letter import CONNECT_PREFIX
from schemas.timestamps import rfc3339
from worker.events.headers import headers_of
from worker.protocols import WallClock
from worker.settings import Settings
from worker.types import Headers, Outgoing, Rejected, Stage

ORIGIN_HEADER = "dlq.origin"
REPLAY_COUNT_HEADER = "dlq.replay_count"
FAILED_AT_HEADER = "dlq.failed_at"
TIMESTAMP_HEADER = "dlq.original_timestamp"

_COMPONENTS = {
    Stage.DECODE: b"sluice.decoder",
    Stage.VALIDATE: b"sluice.decoder",
    Stage.TOKENIZE: b"sluice.tokenizer",
    Stage.INFERENCE: b"sluice.model",
    Stage.PRODUCE: b"sluice.producer",
}
"""Stable names: moving a module does not change them. `schemas.dead_letter` lists them."""

_OWN_HEADERS = frozenset({"dlq.consumer_group", "dlq.attempts", FAILED_AT_HEADER, "dlq.model_id", TIMESTAMP_HEADER})
_MAX_NAME_BYTES = 1024
_MAX_MESSAGE_BYTES = 1024


class DeadLetterEncoder:
    """Encodes `Rejected` outcomes.

    Args:
        settings: Names the topic, the group and the application.
        task_id: Name of this worker's instance, for example the host's.
        model_id: The model meant to score the record.
        clock: Seconds since the epoch, for `dlq.failed_at`.
    """

    def __init__(self, settings: Settings, *, task_id: str, model_id: str, clock: WallClock) -> None:
        self._topic = settings.dead_letters.topic
        self._clock = clock
        self._constant: list[tuple[str, bytes | None]] = [
            (CONNECT_PREFIX + "connector.name", _cut(settings.kafka.client_id, _MAX_NAME_BYTES)),
            (CONNECT_PREFIX + "task.id", _cut(task_id, _MAX_NAME_BYTES)),
            ("dlq.consumer_group", _cut(settings.kafka.group_id, _MAX_NAME_BYTES)),
            ("dlq.model_id", _cut(model_id, _MAX_NAME_BYTES)),
        ]

    def encode(self, outcome: Rejected) -> Outgoing:
        """The record to produce: key, value, timestamp and headers as received, followed by our headers.

        `dlq.headers_lost` replaces headers that can't be read (`worker.events.headers`).
        """
        record = outcome.record
        topic, partition, offset = record.topic() or "", record.partition() or 0, record.offset() or 0
        received = headers_of(record)
        headers: list[tuple[str, bytes | None]] = [*strip_failure(received), *self._constant]
        if not any(name == ORIGIN_HEADER for name, _ in received):
            headers.append((ORIGIN_HEADER, f"{topic}/{partition}/{offset}".encode()))
        headers += (
            (CONNECT_PREFIX + "topic", topic.encode()),
            (CONNECT_PREFIX + "partition", b"%d" % partition),
            (CONNECT_PREFIX + "offset", b"%d" % offset),
            (CONNECT_PREFIX + "stage", outcome.stage.value.encode()),
            (CONNECT_PREFIX + "class.name", _COMPONENTS[outcome.stage]),
            (CONNECT_PREFIX + "exception.class.name", _cut(outcome.error, _MAX_NAME_BYTES)),
            (CONNECT_PREFIX + "exception.message", _cut(outcome.reason, _MAX_MESSAGE_BYTES)),
            ("dlq.attempts", b"%d" % (1 + replay_count(received))),
            (FAILED_AT_HEADER, rfc3339(int(self._clock() * 1000))),
        )
        _, milliseconds = record.timestamp()
        return Outgoing(self._topic, record.key(), record.value(), headers, max(0, milliseconds))


def with_time_of_now(letter: Outgoing) -> Outgoing:
    """The same dead letter for a topic that refuses its timestamp: a header keeps the original."""
    original = (TIMESTAMP_HEADER, b"%d" % letter.timestamp_ms)
    return letter._replace(headers=[*letter.headers, original], timestamp_ms=0)


def replay_count(headers: Headers) -> int:
    """How often a record was replayed: the last of several counts, 0 if the header is absent or holds no count."""
    found = next((value for name, value in reversed(headers) if name == REPLAY_COUNT_HEADER), None) or b""
    return int(found) if found.isdigit() else 0


def strip_failure(headers: Headers) -> list[tuple[str, bytes | None]]:
    """The headers without those that describe a failure; origin and replay count stay."""
    return [header for header in headers if not header[0].startswith(CONNECT_PREFIX) and header[0] not in _OWN_HEADERS]


def _cut(text: str, most_bytes: int) -> bytes:
    """The text in UTF-8, cut between characters."""
    encoded = text.encode(errors="replace")
    return encoded if len(encoded) <= most_bytes else encoded[:most_bytes].decode(errors="ignore").encode()
