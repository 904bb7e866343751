"""Puts the formats of the input and output topics around the worker's decoder and encoder; JSON needs nothing."""

from typing import TYPE_CHECKING

import structlog

from worker.errors import NoRegistry, Retryable
from worker.formats.registry import make_client
from worker.kafka.client.retry import Backoff, RetryBudget, Sleep, Uniform, retry
from worker.protocols import Clock, Encode, RecordDecoder
from worker.settings import Format, Settings

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

    from worker.formats.writing import Writer

log = structlog.stdlib.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Conversion:
    """The formats of one worker.

    Args:
        settings: The worker's settings.
        clock: Monotonic seconds.
        sleep: Waits between attempts to reach the registry at the start.
        uniform: Draws the lengths of those waits.

    Raises:
        SettingsInvalid: A property is wrong, or the extra `registry` is not installed.
    """

    def __init__(self, settings: Settings, *, clock: Clock, sleep: Sleep, uniform: Uniform) -> None:
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, uniform)
        self._client: SchemaRegistryClient | None = None
        self._write: Writer | None = None
        if {settings.input.format, settings.output.format} != {Format.JSON}:
            self._client = make_client(settings.registry)

    def check(self) -> None:
        """Have the label event's schema registered or found, if its format needs one. Waits for the registry.

        Raises:
            NoRegistry: It did not answer for `registry.no_registry_seconds`.
            SettingsInvalid: It refuses this client or the schema.
        """
        output, registry = self._settings.output, self._settings.registry
        if self._client is None or output.format is Format.JSON:
            return
        from worker.formats.output_schema import check_output_schema  # noqa: PLC0415 - an optional extra
        from worker.formats.writing import make_writer  # noqa: PLC0415 - an extra

        client, kind, topic = self._client, output.format, output.topic
        self._write = write = make_writer(kind, client, registry)
        try:
            subject = retry(
                lambda: check_output_schema(kind, topic, client, registry, write),
                limit_seconds=registry.no_registry_seconds,
                backoff=self._backoff,
                clock=self._clock,
                sleep=self._sleep,
            )
        except Retryable as error:
            message = f"{error} for registry.no_registry_seconds = {registry.no_registry_seconds:g}"
            raise NoRegistry(message) from None
        log.info("the label event's schema is in the registry", format=kind.value, subject=subject)

    def decoder(self, decoder: RecordDecoder) -> RecordDecoder:
        """The decoder for the input's format, which hands JSON to `decoder`."""
        settings = self._settings
        if self._client is None or settings.input.format is Format.JSON:
            return decoder
        from worker.formats.decoding import FormatDecoder  # noqa: PLC0415 - an optional extra

        return FormatDecoder(
            decoder,
            settings.input.format,
            self._client,
            settings.registry,
            max_value_bytes=settings.input.max_value_bytes,
            budget=RetryBudget(settings.registry.no_registry_seconds, self._backoff, self._clock),
            clock=self._clock,
        )

    def encoder(self, encode: Encode) -> Encode:
        """The encoder for both formats, around `encode`."""
        if self._client is None:
            return encode
        from worker.formats.encoding import format_encoder  # noqa: PLC0415 - an optional extra

        return format_encoder(encode, self._settings.output.format, self._write)
