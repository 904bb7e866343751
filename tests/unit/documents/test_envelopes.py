"""A comment is found in the envelope it comes in; deletions are passed over, and what does not fit says why."""

import base64
import json
from typing import Any

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testkit.records import ASSIGNMENT, record
from worker.events.decoding import Decoder
from worker.settings import InputSettings
from worker.types import Comment, IdSource, Rejected, Skipped

ROW = {"id": 7, "text": "hi", "lang": "en"}
EVENT = {"specversion": "1.0", "id": "e-1", "source": "/site", "type": "comment.created", "data": ROW}


def decoded(envelope: str, document: Any, headers: Any = None, **settings: Any) -> Any:
    value = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Decoder(InputSettings(envelope=envelope, **settings)).decode(record(value, headers=headers), ASSIGNMENT)


def change(operation: Any, after: Any = ROW, **more: Any) -> dict[str, Any]:
    return {"before": None, "after": after, "source": {"table": "comments"}, "op": operation, "ts_ms": 1, **more}


@pytest.mark.parametrize(
    ("envelope", "document", "headers"),
    [
        ("cloudevents", EVENT, None),
        ("cloudevents", EVENT, [("content-type", b"application/cloudevents+json; charset=UTF-8")]),
        (
            "cloudevents",
            {**EVENT, "data": None, "data_base64": base64.b64encode(json.dumps(ROW).encode()).decode()},
            None,
        ),
        ("cloudevents", ROW, [("ce_specversion", b"1.0"), ("ce_id", b"e-1"), ("content-type", b"application/json")]),
        ("debezium", change("c"), None),
        ("debezium", change("u"), None),
        ("debezium", change("r"), None),
        ("debezium", {"schema": {"type": "struct"}, "payload": change("c")}, None),
        ("debezium", change("c", json.dumps(ROW)), None),
        ("connect", {"schema": {"type": "struct"}, "payload": ROW}, None),
        ("connect", {"schema": None, "payload": ROW}, None),
    ],
)
def test_the_comment_in_the_envelope_is_read_and_goes_into_the_event(
    envelope: str, document: Any, headers: Any
) -> None:
    outcome = decoded(envelope, document, headers)
    assert isinstance(outcome, Comment)
    assert (outcome.id, outcome.text, outcome.id_source) == ("7", "hi", IdSource.FIELD)
    assert json.loads(outcome.document or b"") == ROW


def test_what_is_inside_keeps_its_numbers_as_they_were_written() -> None:
    outcome = decoded(
        "connect", b'{"schema":null,"payload":{"id":"1","text":"x","n":[1.50,1e400,-0.0,12345678901234567890]}}'
    )
    assert outcome.document == b'{"id":"1","text":"x","n":[1.50,1e400,-0.0,12345678901234567890]}'


@pytest.mark.parametrize(
    ("envelope", "document"),
    [
        ("debezium", change("d", None, before=ROW)),
        ("debezium", change("t", None)),
        ("debezium", {"schema": {}, "payload": None}),
        ("connect", {"schema": {}, "payload": None}),
        ("debezium", b"null-value"),
    ],
)
def test_a_deletion_is_passed_over_as_a_tombstone_is(envelope: str, document: Any) -> None:
    decoder = Decoder(InputSettings(envelope=envelope))
    value = None if document == b"null-value" else json.dumps(document).encode()
    outcome = decoder.decode(record(value), ASSIGNMENT)
    assert isinstance(outcome, Skipped)
    assert not outcome.filtered


@pytest.mark.parametrize(
    ("envelope", "document", "error"),
    [
        ("cloudevents", ROW, "NotACloudEvent"),
        ("cloudevents", {**EVENT, "specversion": "0.3"}, "CloudEventVersionUnknown"),
        ("cloudevents", {**EVENT, "specversion": ["1.0"]}, "CloudEventVersionUnknown"),
        ("cloudevents", {**EVENT, "data": "hi"}, "CloudEventDataNotAnObject"),
        ("cloudevents", {**EVENT, "data": None}, "CloudEventDataNotAnObject"),
        ("cloudevents", {**EVENT, "data": None, "data_base64": "%%"}, "CloudEventDataInvalid"),
        ("cloudevents", {**EVENT, "data": None, "data_base64": "e30K{"}, "CloudEventDataInvalid"),
        ("cloudevents", {**EVENT, "data": {"id": "1"}}, "TextMissing"),
        ("debezium", ROW, "NotAChangeEvent"),
        ("debezium", {"schema": {}, "payload": ROW}, "NotAChangeEvent"),
        ("debezium", change("m", None), "OperationWithoutRow"),
        ("debezium", change(["c"]), "NotAChangeEvent"),
        ("debezium", change("c", None), "RowNotAnObject"),
        ("debezium", change("c", "{"), "RowInvalid"),
        ("debezium", change("c", "[]"), "RowNotAnObject"),
        ("debezium", change("u", {**ROW, "text": "__debezium_unavailable_value"}), "TextUnavailable"),
        ("debezium", {"schema": {}, "payload": 1}, "PayloadNotAnObject"),
        ("connect", ROW, "NotAConnectEnvelope"),
        ("connect", {"payload": ROW}, "NotAConnectEnvelope"),
        ("connect", {"schema": {}, "payload": ROW, "x": 1}, "NotAConnectEnvelope"),
        ("connect", {"schema": {}, "payload": "hi"}, "PayloadNotAnObject"),
        ("connect", {"schema": {}, "payload": {"text": "hi"}}, "IdMissing"),
    ],
)
def test_what_does_not_fit_is_a_dead_letter_that_says_what_is_missing(envelope: str, document: Any, error: str) -> None:
    outcome = decoded(envelope, document)
    assert isinstance(outcome, Rejected)
    assert outcome.error == error
    assert "hi" not in outcome.reason.split()


def test_a_batch_of_cloudevents_is_refused_whatever_it_holds() -> None:
    headers = [("content-type", b"application/cloudevents-batch+json")]
    assert decoded("cloudevents", EVENT, headers).error == "CloudEventsBatch"


@pytest.mark.parametrize("kind", ["string-or-integer", "none"])
def test_the_events_id_is_the_comments_where_the_data_has_none(kind: str) -> None:
    outcome = decoded("cloudevents", {**EVENT, "data": {"text": "hi"}}, id_kind=kind)
    assert (outcome.id, outcome.id_source) == ("e-1", IdSource.CLOUDEVENT)


def test_an_id_in_the_data_of_the_wrong_kind_is_not_replaced_by_the_events() -> None:
    assert decoded("cloudevents", {**EVENT, "data": {"id": [], "text": "hi"}}).error == "IdNotAStringOrInteger"


def test_conditions_look_at_the_whole_value() -> None:
    wanted = {"where": [{"pointer": "/type", "equals": "comment.created"}, {"pointer": "/data/lang", "in": ["en"]}]}
    assert isinstance(decoded("cloudevents", EVENT, **wanted), Comment)
    passed_over = decoded("cloudevents", {**EVENT, "type": "comment.deleted"}, **wanted)
    assert (passed_over.filtered, passed_over.forwarded) == (True, False)


NAMES = st.sampled_from(["id", "text", "op", "after", "payload", "schema", "data", "specversion"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "text", "op", "after", "payload", "schema", "data", "specversion"]), inner
        )
    ),
    max_leaves=10,
)
OPERATIONS = st.sampled_from(["c", "u", "r", "d", "t", "m", "", None])


@given(st.sampled_from(["cloudevents", "debezium", "connect"]), JSON, OPERATIONS, st.booleans())
def test_any_document_gives_one_outcome_and_what_is_inside_can_be_read_again(
    envelope: str, inside: Any, operation: Any, wrapped: bool
) -> None:
    document = {"specversion": "1.0", "data": inside, "op": operation, "after": inside}
    outcome = decoded(envelope, {"schema": None, "payload": inside if envelope == "connect" else document}
                      if wrapped else document)  # fmt: skip
    assert isinstance(outcome, Comment | Rejected | Skipped)
    if isinstance(outcome, Comment):
        assert jiter.from_json(outcome.document or b"") == inside
