"""A record whose value was converted to JSON: what the worker reads is JSON, and its own bytes are kept beside it."""

from worker.types import Record


class ConvertedRecord:
    """The record with another value; `original` is the record as it was consumed. Implements `worker.types.Record`."""

    __slots__ = ("_value", "original")

    def __init__(self, original: Record, value: bytes) -> None:
        self.original = original
        self._value = value

    def topic(self) -> str | None:  # noqa: D102 - the names of confluent_kafka.Message
        return self.original.topic()

    def partition(self) -> int | None:  # noqa: D102 - as confluent-kafka's `Message` promises
        return self.original.partition()

    def offset(self) -> int | None:  # noqa: D102 - as confluent-kafka's `Message` promises
        return self.original.offset()

    def timestamp(self) -> tuple[int, int]:  # noqa: D102 - as confluent-kafka's `Message` promises
        return self.original.timestamp()

    def key(self) -> bytes | None:  # noqa: D102 - as confluent-kafka's `Message` promises
        return self.original.key()

    def value(self) -> bytes | None:
        """The JSON."""
        return self._value

    def headers(self) -> list[tuple[str, bytes | None]] | None:  # noqa: D102 - as confluent-kafka's `Message` promises
        return self.original.headers()

    def set_headers(self, headers: list[tuple[str, bytes | None]]) -> None:
        """Replace headers that can't be read (`worker.events.headers`)."""
        message: object = self.original
        message.set_headers(headers)  # type: ignore[attr-defined] # confluent_kafka.Message has it
