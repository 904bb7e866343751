"""A span for each batch, from the model to the commit, linked to the context of each of its records.

A batch has records of many traces, so it can be a child of none: it has a trace of its own and links to theirs
(OpenTelemetry's semantic conventions for messaging, "Batch receiving").
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Tracer, set_span_in_context

from worker.facts import DeliveryFacts
from worker.protocols import Publisher, ScoringObserver
from worker.tracing.contexts import context_of, span_context_of
from worker.types import Batch, Labelled, Rejected, Settled

_NOT_AVAILABLE = 0
_MILLISECONDS = 1000

Exemplify = Callable[[float, dict[str, str]], None]
"""Takes a latency in seconds and the labels of its exemplar."""


class _Scored(NamedTuple):
    """When a batch was in the model, nanoseconds since the epoch, and what it held."""

    started: int
    ended: int
    texts: int
    tokens: int


class _Open(NamedTuple):
    """The span of a batch that is being published, and the latest record of it that has a trace."""

    span: Span
    traced: tuple[int, str, str] | None


class BatchSpans:
    """Opens and ends the spans of batches: as a `ScoringObserver` and as a `Publisher`, around those of the worker.

    Args:
        observer: Notified of each batch after this.
        tracer: Makes the spans.
        topic: Input topic.
        group: Consumer group.
        exemplify: Gets an exemplar of each batch's latency: its oldest record that has a sampled trace.
        clock_ns: Nanoseconds since the epoch.
    """

    def __init__(
        self,
        observer: ScoringObserver,
        tracer: Tracer,
        *,
        topic: str,
        group: str,
        exemplify: Exemplify,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._observer = observer
        self._tracer = tracer
        self._name = f"process {topic}"
        self._attributes = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
            "messaging.consumer.group.name": group,
        }
        self._exemplify = exemplify
        self._clock_ns = clock_ns
        self._started: dict[int, int] = {}
        self._scored: dict[int, _Scored] = {}
        self._open: dict[Batch, _Open] = {}
        self._publisher: Publisher | None = None

    def scoring_started(self, batch: int, texts: int) -> None:
        """A batch enters the model."""
        self._started[batch] = self._clock_ns()
        self._observer.scoring_started(batch, texts)

    def scoring_finished(self, batch: int, texts: int, tokens: int, seconds: float) -> None:
        """The batch has left the model; it will be published under the same number."""
        self._scored[batch] = _Scored(self._started.pop(batch), self._clock_ns(), texts, tokens)
        self._observer.scoring_finished(batch, texts, tokens, seconds)

    def around(self, publisher: Publisher) -> Publisher:
        """This, as the publisher that hands everything to another."""
        self._publisher = publisher
        return self

    @property
    def pending(self) -> int:
        """Batches published but not yet settled."""
        return self._inner.pending

    def publish(self, batch: Batch) -> None:
        """Open the batch's span, as of its scoring, then publish it."""
        self._open[batch] = self._opened(batch)
        self._inner.publish(batch)

    def settle(self, timeout_seconds: float) -> list[Settled]:
        """End the spans of what settled."""
        settled = self._inner.settle(timeout_seconds)
        for one in settled:
            if (opened := self._open.pop(one.batch, None)) is not None:
                self._end(opened, one)
        return settled

    def facts(self) -> DeliveryFacts:
        """Those of the publisher."""
        return self._inner.facts()

    def close(self) -> None:
        """End every span, then close the publisher."""
        for opened in self._open.values():
            opened.span.set_attribute("sluice.dropped", True)
            opened.span.end()
        self._open.clear()
        self._inner.close()

    @property
    def _inner(self) -> Publisher:
        assert self._publisher is not None  # noqa: S101 - `around` comes first
        return self._publisher

    def _opened(self, batch: Batch) -> _Open:
        links: list[Link] = []
        oldest: tuple[int, str, str] | None = None
        for outcome in batch.outcomes:
            if (context := context_of(outcome.record)) is None:
                continue
            identity = span_context_of(context)
            links.append(Link(identity))
            kind, milliseconds = outcome.record.timestamp()
            if identity.trace_flags.sampled and kind != _NOT_AVAILABLE and (oldest is None or milliseconds < oldest[0]):
                oldest = milliseconds, f"{identity.trace_id:032x}", f"{identity.span_id:016x}"
        now = self._clock_ns()
        scored = self._scored.pop(batch.number, _Scored(now, now, 0, 0))
        attributes = self._attributes | {"messaging.batch.message_count": len(batch.outcomes)}
        span = self._tracer.start_span(
            self._name, Context(), SpanKind.CONSUMER, attributes, links, start_time=scored.started
        )
        model = self._tracer.start_span(
            "score",
            set_span_in_context(span, Context()),
            SpanKind.INTERNAL,
            {"sluice.texts": scored.texts, "sluice.tokens": scored.tokens},
            start_time=scored.started,
        )
        model.end(scored.ended)
        return _Open(span, oldest)

    def _end(self, opened: _Open, settled: Settled) -> None:
        span, outcomes = opened.span, settled.outcomes
        if span.is_recording():
            span.set_attribute("sluice.labelled", sum(isinstance(outcome, Labelled) for outcome in outcomes))
            span.set_attribute("sluice.rejected", sum(isinstance(outcome, Rejected) for outcome in outcomes))
        span.end()
        if opened.traced is not None:
            milliseconds, trace_id, span_id = opened.traced
            seconds = max(0.0, self._clock_ns() / 1e9 - milliseconds / _MILLISECONDS)
            self._exemplify(seconds, {"trace_id": trace_id, "span_id": span_id})
