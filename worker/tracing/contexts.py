"""Between the trace headers of records and the contexts of OpenTelemetry."""

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from worker.events.headers import headers_of
from worker.events.trace_context import TRACEPARENT, TRACESTATE, trace_headers
from worker.types import Headers, Record

_PROPAGATOR = TraceContextTextMapPropagator()


def context_of(record: Record) -> Context | None:
    """The trace context that a record came with; None where it has no valid one."""
    found = trace_headers(headers_of(record))
    if not found:
        return None
    carrier = {name: value.decode("ascii", errors="ignore") for name, value in found}
    context = _PROPAGATOR.extract(carrier, Context())
    return context if span_context_of(context).is_valid else None


def span_context_of(context: Context) -> SpanContext:
    """The identity of a context's span."""
    return trace.get_current_span(context).get_span_context()


def headers_with(headers: Headers, context: Context) -> list[tuple[str, bytes | None]]:
    """The headers with the trace context replaced."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context)
    kept = [header for header in headers if header[0] not in (TRACEPARENT, TRACESTATE)]
    return [*kept, *((name, value.encode()) for name, value in carrier.items())]
