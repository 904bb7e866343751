"""Only records that meet every condition of `input.where` are labelled; the others are passed over, not rejected."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from testkit.records import ASSIGNMENT, record
from worker.documents.conditions import all_hold
from worker.events.decoding import Decoder
from worker.settings import Condition, InputSettings
from worker.types import Comment, Rejected, Skipped


def holds(document: Any, **condition: Any) -> bool:
    return all_hold([Condition.model_validate({"pointer": "/v", **condition})])(document)


@pytest.mark.parametrize(
    ("value", "condition", "met"),
    [
        ("en", {"equals": "en"}, True),
        ("EN", {"equals": "en"}, False),
        (1, {"equals": 1}, True),
        (1.0, {"equals": 1}, True),
        (True, {"equals": 1}, False),
        (1, {"equals": True}, False),
        ("1", {"equals": 1}, False),
        (False, {"equals": False}, True),
        (0, {"equals": False}, False),
        (None, {"equals": "null"}, False),
        ("en", {"in": ["en", "de"]}, True),
        ("fr", {"in": ["en", "de"]}, False),
        (3, {"in": [1, 2.5, 3]}, True),
        (["en"], {"in": ["en"]}, False),
        ("x", {"in": []}, False),
        ("", {"exists": True}, True),
        (False, {"exists": True}, True),
        (None, {"exists": True}, False),
        (None, {"exists": False}, True),
        ({}, {"exists": False}, False),
    ],
)
def test_a_value_is_compared_as_json_compares(value: Any, condition: dict[str, Any], met: bool) -> None:
    assert holds({"v": value}, **condition) is met


@pytest.mark.parametrize(("condition", "met"), [({"equals": "x"}, False), ({"exists": False}, True)])
def test_a_value_that_is_not_there_meets_only_exists_false(condition: dict[str, Any], met: bool) -> None:
    assert holds({}, **condition) is met


WHERE = [{"pointer": "/type", "equals": "comment"}, {"pointer": "/deleted", "exists": False}]


@pytest.mark.parametrize(
    ("document", "outcome"),
    [
        ({"type": "comment", "id": "1", "text": "x"}, Comment),
        ({"type": "like"}, Skipped),
        ({"type": "comment", "deleted": "2026-01-01", "id": "1", "text": "x"}, Skipped),
        ({"type": "comment", "id": "1"}, Rejected),
    ],
)
def test_conditions_come_before_id_and_text(document: Any, outcome: type) -> None:
    found = Decoder(InputSettings(where=WHERE)).decode(record(json.dumps(document).encode()), ASSIGNMENT)
    assert isinstance(found, outcome)
    assert not isinstance(found, Skipped) or found.filtered


@pytest.mark.parametrize(
    ("number", "outcome"), [(b"1.5", Comment), (b"15e-1", Comment), (b"1e400", Skipped), (b"2", Skipped)]
)
@pytest.mark.parametrize("envelope", ["none", "debezium"])
def test_numbers_are_compared_as_numbers_with_an_envelope_too(envelope: str, number: bytes, outcome: type) -> None:
    inside = b'{"id":"1","text":"x"}'
    value = b'{"version":%b,"op":"c","after":%b,"id":"1","text":"x"}' % (number, inside)
    settings = InputSettings(where=[{"pointer": "/version", "equals": 1.5}], envelope=envelope)
    assert isinstance(Decoder(settings).decode(record(value), ASSIGNMENT), outcome)


@pytest.mark.parametrize("value", [b"not json", b"[1]", b'{"type":"like","type":"comment"}'])
def test_a_record_that_cannot_be_looked_at_is_rejected_and_not_passed_over(value: bytes) -> None:
    assert isinstance(Decoder(InputSettings(where=WHERE)).decode(record(value), ASSIGNMENT), Rejected)


def test_a_tombstone_is_not_counted_as_filtered() -> None:
    skipped = Decoder(InputSettings(where=WHERE)).decode(record(None), ASSIGNMENT)
    assert isinstance(skipped, Skipped)
    assert not skipped.filtered


@pytest.mark.parametrize(
    "condition",
    [
        {"pointer": "/v"},
        {"pointer": "/v", "equals": "a", "exists": True},
        {"pointer": "v", "equals": "a"},
        {"pointer": "/v", "equals": [1]},
        {"pointer": "/v", "matches": "a"},
    ],
)
def test_a_condition_asks_exactly_one_thing_of_one_place(condition: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InputSettings(where=[condition])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "a"]), inner, max_size=2),
    max_leaves=6,
)
SCALARS = st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text(max_size=2)


@given(st.dictionaries(st.sampled_from(["v", "a"]), JSON), SCALARS)
def test_equals_and_in_agree_whatever_the_document(document: Any, value: Any) -> None:
    assert holds(document, equals=value) is holds(document, **{"in": [value]})
