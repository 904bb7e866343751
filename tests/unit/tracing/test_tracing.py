"""Label events get contexts of their own, batches link to their comments, and off there is nothing of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from testkit.records import ASSIGNMENT, record
from worker.facts import DeliveryFacts
from worker.observability.metrics import Metrics
from worker.settings import Settings, TracingSettings
from worker.tracing.setup import Tracing
from worker.types import (
    Batch,
    Classification,
    Labelled,
    Outcome,
    Outgoing,
    Rejected,
    Settled,
    Stage,
    TextFacts,
)

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01".encode()
UNSAMPLED = f"00-{TRACE}-{PARENT}-00".encode()


class Observer:
    def scoring_started(self, batch: int, texts: int) -> None:
        pass

    def scoring_finished(self, batch: int, texts: int, tokens: int, seconds: float) -> None:
        pass


class Publisher:
    """Settles at once."""

    def __init__(self) -> None:
        self._published: list[Batch] = []

    @property
    def pending(self) -> int:
        return len(self._published)

    def publish(self, batch: Batch) -> None:
        self._published.append(batch)

    def settle(self, timeout_seconds: float) -> list[Settled]:
        del timeout_seconds
        done, self._published = self._published, []
        return [Settled(batch, batch.outcomes) for batch in done]

    def facts(self) -> DeliveryFacts:
        return DeliveryFacts()

    def close(self) -> None:
        pass


def labelled(traceparent: bytes | None = None) -> Labelled:
    headers = [("x", b"1")] + ([("traceparent", traceparent), ("tracestate", b"a=1")] if traceparent else [])
    return Labelled(record(b"{}", headers=headers), ASSIGNMENT, "c", "", Classification({}, (), TextFacts(1, 1, False)))


def encode(outcome: Outcome) -> Outgoing | None:
    passed_on = [header for header in outcome.record.headers() or [] if header[0].startswith("trace")]
    return Outgoing("out", None, b"{}", [("ce_id", b"1"), *passed_on], 0)


class Traced:
    """A worker's tracing, with spans kept in memory."""

    def __init__(self, share: float = 1.0) -> None:
        self._exporter = InMemorySpanExporter()
        settings = Settings(tracing=TracingSettings(enabled=True, sample_share=share))
        self.tracing = Tracing(settings, "1.0", self._exporter)
        self.encode = self.tracing.encoder(encode)

    def spans(self, prefix: str = "") -> list[ReadableSpan]:
        assert self.tracing._provider is not None
        self.tracing._provider.force_flush()
        return [span for span in self._exporter.get_finished_spans() if span.name.startswith(prefix)]

    def header(self, outcome: Outcome, name: str = "traceparent") -> str | None:
        outgoing = self.encode(outcome)
        assert outgoing is not None
        found = [value for key, value in outgoing.headers if key == name]
        assert len(found) <= 1
        return found[0].decode() if found and found[0] else None


@pytest.fixture
def traced() -> Iterator[Traced]:
    one = Traced()
    yield one
    one.tracing.close()


def test_off_every_part_is_the_one_that_was_given() -> None:
    tracing, observer, publisher = Tracing(Settings(), "1.0"), Observer(), Publisher()
    assert tracing.encoder(encode) is encode
    assert tracing.observer(observer, lambda *_: None) is observer
    assert tracing.publisher(publisher) is publisher


def test_a_label_event_continues_its_comments_trace_in_a_span_of_its_own(traced: Traced) -> None:
    header = traced.header(labelled(SAMPLED))
    (span,) = traced.spans("send")
    assert span.context is not None
    assert header == f"00-{TRACE}-{span.context.span_id:016x}-01"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT
    assert traced.header(labelled(SAMPLED), "tracestate") == "a=1"


def test_a_comment_without_a_trace_begins_one_for_each_event(traced: Traced) -> None:
    first, second = traced.header(labelled()), traced.header(labelled())
    assert first is not None
    assert second is not None
    assert first[3:35] != second[3:35], "two traces"
    assert all(span.parent is None for span in traced.spans("send"))


def test_a_trace_that_is_not_sampled_goes_on_unsampled_and_gives_no_span(traced: Traced) -> None:
    header = traced.header(labelled(UNSAMPLED))
    assert header is not None
    assert header.startswith(f"00-{TRACE}-")
    assert header.endswith("-00")
    assert traced.spans() == []


def test_a_share_of_nothing_leaves_sampled_traces_alone() -> None:
    traced = Traced(share=0.0)
    traced.header(labelled())
    traced.header(labelled(SAMPLED))
    assert [span.name for span in traced.spans()] == ["send out"]
    traced.tracing.close()


def test_a_dead_letter_keeps_the_context_it_came_with(traced: Traced) -> None:
    rejected = Rejected(labelled(SAMPLED).record, ASSIGNMENT, Stage.DECODE, "InvalidJson", "not JSON")
    assert traced.header(rejected) == SAMPLED.decode()
    assert traced.spans() == []


def test_a_batch_links_to_the_traces_of_its_comments_and_says_what_became_of_them(traced: Traced) -> None:
    metrics = Metrics(CollectorRegistry())

    def exemplify(seconds: float, labels: dict[str, str]) -> None:
        metrics.record_latency_seconds.exemplify(seconds, labels, 1.0)

    observer: Any = traced.tracing.observer(Observer(), exemplify)
    publisher = traced.tracing.publisher(Publisher())
    rejected = Rejected(record(b"?"), ASSIGNMENT, Stage.DECODE, "InvalidJson", "not JSON")
    for number in (1, 2):
        observer.scoring_started(number, 2)
    for number in (2, 1):
        observer.scoring_finished(number, 2, 16 + number, 0.5)
    for number in (1, 2):
        publisher.publish(Batch([labelled(SAMPLED), labelled(), rejected], {}, number=number))
    assert traced.spans("process") == [], "a batch ends when it is acknowledged"
    publisher.settle(0)
    first, second = traced.spans("process")
    for span in (first, second):
        assert [(link.context.trace_id, link.context.span_id) for link in span.links] == [
            (int(TRACE, 16), int(PARENT, 16))
        ]
        assert span.parent is None
        assert span.attributes is not None
        assert span.attributes["messaging.batch.message_count"] == 3
        assert (span.attributes["sluice.labelled"], span.attributes["sluice.rejected"]) == (2, 1)
    assert first.context is not None
    assert second.context is not None
    assert first.context.trace_id != second.context.trace_id
    tokens = {
        span.parent.span_id: (span.attributes or {})["sluice.tokens"] for span in traced.spans("score") if span.parent
    }
    assert tokens == {first.context.span_id: 17, second.context.span_id: 18}
    shown: str = generate_latest(metrics.registry).decode()  # type: ignore[no-untyped-call] # untyped in the package
    assert f'# {{span_id="{PARENT}",trace_id="{TRACE}"}}' in shown


def test_a_batch_that_is_abandoned_ends_its_span(traced: Traced) -> None:
    traced.tracing.observer(Observer(), lambda *_: None)
    publisher = traced.tracing.publisher(Publisher())
    publisher.publish(Batch([labelled()], {}))
    publisher.close()
    (span,) = traced.spans("process")
    assert (span.attributes or {})["sluice.dropped"] is True
