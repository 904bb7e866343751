"""Puts tracing around the parts of a worker, if the settings ask for it."""

from typing import TYPE_CHECKING

from worker.errors import SettingsInvalid
from worker.protocols import Encode, Publisher, ScoringObserver
from worker.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from worker.tracing.batch_spans import BatchSpans, Exemplify

INSTALL = "pip install 'sluice-worker[tracing]'"
_FLUSH_MS = 3_000
"""How long a worker that ends waits for its last spans to be taken."""


class Tracing:
    """The tracing of one worker; each method gives back what it is given where tracing is off.

    Args:
        settings: The worker's settings.
        version: The worker's version, which spans name.
        exporter: Where spans go; by default to `tracing.endpoint`.

    Raises:
        SettingsInvalid: The extra `tracing` is not installed.
    """

    def __init__(self, settings: Settings, version: str, exporter: "SpanExporter | None" = None) -> None:
        self._settings = settings
        self._version = version
        self._provider: TracerProvider | None = None
        self._spans: BatchSpans | None = None
        if settings.tracing.enabled:
            self._provider = _provider(settings, exporter)

    def observer(self, observer: ScoringObserver, exemplify: "Exemplify") -> ScoringObserver:
        """The observer of scoring, which passes everything on to `observer`."""
        if self._provider is None:
            return observer
        from worker.tracing.batch_spans import BatchSpans  # noqa: PLC0415 - an optional extra

        self._spans = BatchSpans(
            observer,
            self._provider.get_tracer("sluice", self._version),
            topic=self._settings.input.topic,
            group=self._settings.kafka.group_id,
            exemplify=exemplify,
        )
        return self._spans

    def publisher(self, publisher: Publisher) -> Publisher:
        """The publisher with spans around it; `observer` comes first."""
        return publisher if self._spans is None else self._spans.around(publisher)

    def encoder(self, encode: Encode) -> Encode:
        """The encoder whose label events have contexts of their own."""
        if self._provider is None:
            return encode
        from worker.tracing.label_spans import traced_encoder  # noqa: PLC0415 - an optional extra

        return traced_encoder(encode, self._provider.get_tracer("sluice", self._version))

    def close(self) -> None:
        """Send what is left. Never raises."""
        if self._provider is not None:
            self._provider.force_flush(_FLUSH_MS)
            self._provider.shutdown()


def _provider(settings: Settings, exporter: "SpanExporter | None") -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = f"tracing.enabled needs the extra `tracing` ({error}): {INSTALL}"
        raise SettingsInvalid(message) from None
    resource = Resource.create({SERVICE_NAME: settings.kafka.client_id}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.tracing.sample_share), resource=resource, shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter(settings.tracing.endpoint)))
    return provider
