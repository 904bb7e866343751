"""Settings of tracing."""

from pydantic import Field

from worker.settings.fields import Section


class TracingSettings(Section):
    """Spans for OpenTelemetry (extra `tracing`); the variables OTEL_... of its own SDK hold beside these settings."""

    enabled: bool = Field(False, description="Send a span for each batch and each label event; false costs nothing")
    endpoint: str | None = Field(
        None,
        pattern=r"^https?://",
        description="Collector's URL (OTLP over HTTP), with /v1/traces; none: OTEL_EXPORTER_OTLP_ENDPOINT",
    )
    sample_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of batches, and of comments without a trace, that get spans; a trace that is there decides",
    )
