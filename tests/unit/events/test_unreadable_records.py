"""No record that a broker holds ends the worker, whatever its writer put in it: read through the real client."""

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import DeadLetterHeaders, LabelEvent
from testkit.keyword_classifier import KeywordClassifier
from testkit.raw_records import RawRecord, produce_raw
from worker.events.dead_letter import DeadLetterEncoder
from worker.events.decoding import Decoder
from worker.events.label_event import LabelEventEncoder
from worker.kafka.dead_letters.reader import dead_letter
from worker.kafka.embedded.broker import EmbeddedBroker
from worker.settings import InputSettings, OutputSettings, Settings
from worker.types import Assignment, Classification, Comment, Labelled, Outgoing, Rejected, Skipped, Stage, TextFacts

TOPIC = "written-by-strangers"
ASSIGNMENT = Assignment(TOPIC, 0, epoch=1)
NOTHING = Classification({}, (), TextFacts(1, 1, False))
GOOD = json.dumps({"id": "c-1", "text": "a great page"}).encode()
MODEL = KeywordClassifier()

headers = st.lists(st.tuples(st.binary(max_size=12), st.none() | st.binary(max_size=20)), max_size=4)
timestamps = st.just(0) | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2**42)
records = st.builds(
    RawRecord,
    st.none() | st.just(GOOD) | st.binary(max_size=60),
    st.none() | st.binary(max_size=20),
    headers,
    timestamps,
)


class Reader:
    """Writes raw records to the embedded broker and gives them back as the consumer reads them."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.servers = broker.bootstrap_servers
        self.consumer = Consumer(
            {"bootstrap.servers": self.servers, "group.id": "g", "log_level": 0, "fetch.wait.max.ms": 5}
        )
        self.consumer.assign([TopicPartition(TOPIC, 0, 0)])

    def exchange(self, sent: list[RawRecord]) -> list[object]:
        produce_raw(self.servers, TOPIC, sent)
        found: list[object] = []
        while len(found) < len(sent):
            got = self.consumer.consume(len(sent) - len(found), 30)
            assert got, "nothing came"
            found += got
        return found


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with EmbeddedBroker(topics={TOPIC: 1}) as broker:
        made = Reader(broker)
        yield made
        made.consumer.close()


def outcome_of(record: object) -> Outgoing | None:
    """What the worker would publish of a record."""
    decoded = Decoder(InputSettings()).decode(record, ASSIGNMENT)  # type: ignore[arg-type] # a Message is a Record
    if isinstance(decoded, Skipped):
        return None
    if isinstance(decoded, Rejected):
        return DeadLetterEncoder(Settings(), task_id="t", model_id="m", clock=lambda: 0.0).encode(decoded)
    assert isinstance(decoded, Comment)
    labelled = Labelled(decoded.record, ASSIGNMENT, decoded.id, decoded.text, NOTHING)
    encoder = LabelEventEncoder(
        InputSettings(), OutputSettings(), MODEL.identity, MODEL.thresholds, MODEL.labels, None, lambda: 0.0
    )
    return encoder.encode(labelled)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(records, min_size=1, max_size=20))
def test_every_record_has_an_outcome_with_its_bytes_untouched(reader: Reader, sent: list[RawRecord]) -> None:
    for written, record in zip(sent, reader.exchange(sent), strict=True):
        outgoing = outcome_of(record)
        if outgoing is None:
            assert written.value is None
            continue
        assert outgoing.key == written.key
        if outgoing.topic == Settings().dead_letters.topic:
            assert outgoing.value == written.value
            named = {
                name: (value or b"").decode() for name, value in outgoing.headers if name.startswith(("__", "dlq."))
            }
            DeadLetterHeaders.model_validate(named)
        else:
            assert written.value is not None  # nearly always `GOOD`, but hypothesis also finds comments of its own
            assert written.value in (outgoing.value or b"")
            LabelEvent.model_validate_json(outgoing.value or b"")


LATIN = (b"orig\xe9n", b"v")
TRACE = (b"traceparent", b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01")


def test_a_comment_whose_headers_cannot_be_read_is_labelled_without_its_trace(reader: Reader) -> None:
    good, lost = reader.exchange([RawRecord(GOOD, b"k", [TRACE]), RawRecord(GOOD, b"k", [TRACE, LATIN])])
    with_trace, without = outcome_of(good), outcome_of(lost)
    assert with_trace is not None
    assert without is not None
    assert dict(with_trace.headers)["traceparent"] == TRACE[1]
    assert "traceparent" not in dict(without.headers)
    assert LabelEvent.model_validate_json(without.value or b"").comment == json.loads(GOOD)


def test_a_dead_letter_says_that_headers_were_lost(reader: Reader) -> None:
    kept, lost = reader.exchange([RawRecord(b"not json", b"k", [TRACE]), RawRecord(b"not json", b"k", [TRACE, LATIN])])
    with_all, without = outcome_of(kept), outcome_of(lost)
    assert with_all is not None
    assert without is not None
    assert "dlq.headers_lost" not in dict(with_all.headers)
    assert dict(without.headers)["dlq.headers_lost"] == b"true"
    assert (without.key, without.value) == (b"k", b"not json")


def test_headers_that_cannot_be_read_are_lost_as_often_as_they_are_read(reader: Reader) -> None:
    (record,) = reader.exchange([RawRecord(GOOD, b"k", [TRACE, LATIN])])
    assert outcome_of(record) is not None  # a label event that its topic refuses becomes a dead letter
    for _ in range(3):
        rejected = Rejected(record, ASSIGNMENT, Stage.PRODUCE, "OutputTooLarge", "too large")  # type: ignore[arg-type] # the union of confluent-kafka's and our types
        letter = DeadLetterEncoder(Settings(), task_id="t", model_id="m", clock=lambda: 0.0).encode(rejected)
        assert dict(letter.headers)["dlq.headers_lost"] == b"true"


def test_a_letter_with_such_headers_is_shown_with_what_can_be_read(reader: Reader) -> None:
    (letter,) = reader.exchange([RawRecord(b"not json", b"k", [LATIN])])
    found = dead_letter(letter)  # type: ignore[arg-type] # a Message is a Record
    assert (found.stage, found.error, found.replays) == ("", "", 0)
    assert Stage.DECODE not in found
