"""The page reads label events in each of the output's formats, and what is none of them is shown as such."""

import json
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient

from testkit.label_events import event_record, label_event
from worker.formats import label_events
from worker.formats.framing import context_of
from worker.formats.writing import make_writer
from worker.page.event_detail import EventDetail
from worker.page.kept_event import EventKeeper, KeptEvent
from worker.settings import Format, OutputSettings, RegistrySettings, Settings

REGISTRY = RegistrySettings(url="http://registry:8081")
FORMATS = [Format.AVRO, Format.JSON_SCHEMA, Format.PROTOBUF]


@pytest.fixture(params=FORMATS)
def kind(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> SchemaRegistryClient:
    made = SchemaRegistryClient.new_client({"url": "mock://"})
    monkeypatch.setattr(label_events, "make_client", lambda _: made)
    return made


def written(kind: Format, client: SchemaRegistryClient, event: dict[str, Any]) -> bytes:
    as_a_worker_writes_it = json.dumps(event, separators=(",", ":")).encode()
    return make_writer(kind, client, REGISTRY)(as_a_worker_writes_it, context_of("comment-labels", []))


def kept(settings: Settings, value: bytes) -> KeptEvent:
    found = EventKeeper(label_events.event_reader(settings), settings.input).keep(event_record(value))
    assert found is not None
    return found


def test_an_event_is_read_in_the_outputs_format(kind: Format, client: SchemaRegistryClient) -> None:
    settings = Settings(output=OutputSettings(format=kind), registry=REGISTRY)
    value = written(kind, client, label_event("c-7", "its text", toxic=0.9))
    event = kept(settings, value)
    assert (event.comment_id, event.labels, event.tier, event.text) == ("c-7", ("toxic",), "act", "its text")
    detail = EventDetail(settings, label_events.event_reader(settings)).of(event_record(value), with_text=True)
    assert detail["text"] == "its text"
    assert {"label": "toxic", "score": 0.9, "review": 0.5, "act": 0.8} in detail["scores"]


def test_labels_keep_one_order_whatever_that_of_the_scores() -> None:
    keeper = EventKeeper(lambda record: record.value() or b"", Settings().input)
    one, other = label_event(toxic=0.9), label_event(toxic=0.9)
    other["scores"] = dict(reversed(other["scores"].items()))
    first, second = (keeper.keep(event_record(event)) for event in (one, other))
    assert first is not None
    assert second is not None
    assert first.scoring is second.scoring
    assert first.scores == second.scores


def test_what_is_not_of_the_format_is_a_problem_and_stops_nothing(kind: Format, client: SchemaRegistryClient) -> None:
    settings = Settings(output=OutputSettings(format=kind), registry=REGISTRY)
    value = written(kind, client, label_event(text="its words"))
    for broken in (
        b"",
        b"{}",
        value[:4],
        value[:5],
        value[:-20],
        value[:5] + b"\xff" * 40,
        b"\0\0\0\0\x63" + value[5:],
    ):
        problem = kept(settings, broken).problem
        assert problem is not None
        assert "words" not in problem
