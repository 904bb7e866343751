"""A span, and so a context of its own, for each label event: a child of its comment's, or the root of a new trace."""

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer

from worker.protocols import Encode
from worker.tracing.contexts import context_of, headers_with
from worker.types import Labelled, Outcome, Outgoing

_NO_TRACE = trace.set_span_in_context(trace.INVALID_SPAN)


def traced_encoder(encode: Encode, tracer: Tracer) -> Encode:
    """Wraps `encode`: label events carry the context of their own span.

    Dead letters keep the headers they came with: replayed, they are the same comments again.
    """

    def encode_in_span(outcome: Outcome) -> Outgoing | None:
        outgoing = encode(outcome)
        if outgoing is None or not isinstance(outcome, Labelled):
            return outgoing
        parent = context_of(outcome.record) or _NO_TRACE
        span = tracer.start_span(
            f"send {outgoing.topic}",
            parent,
            SpanKind.PRODUCER,
            {
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": outgoing.topic,
            },
        )
        headers = headers_with(outgoing.headers, trace.set_span_in_context(span, parent))
        span.end()
        return outgoing._replace(headers=headers)

    return encode_in_span
