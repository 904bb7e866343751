"""Whatever bytes a record holds, decoding gives exactly one outcome, and a clear one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import CommentEvent
from testkit.records import ASSIGNMENT, comment_record, record
from worker.events.decoding import Decoder
from worker.settings import InputSettings
from worker.types import Comment, Rejected, Skipped, Stage

DEFAULT = Decoder(InputSettings())


def decode(value: bytes | None, decoder: Decoder = DEFAULT) -> Any:
    return decoder.decode(record(value), ASSIGNMENT)


def test_a_comment_keeps_its_record_and_assignment() -> None:
    message = comment_record("c-1", "Good morning", author="ann")
    assert DEFAULT.decode(message, ASSIGNMENT) == Comment(message, ASSIGNMENT, "c-1", "Good morning")


def test_a_tombstone_is_passed_over() -> None:
    assert isinstance(decode(None), Skipped)


@pytest.mark.parametrize(
    ("value", "stage", "error"),
    [
        (b"", Stage.DECODE, "InvalidJson"),
        (b"not json", Stage.DECODE, "InvalidJson"),
        (b'{"id":"1","text":"x"} trailing', Stage.DECODE, "InvalidJson"),
        (b'{"id":"1","text":NaN}', Stage.DECODE, "InvalidJson"),
        (b'{"id":"1","text":"x","n":Infinity}', Stage.DECODE, "InvalidJson"),
        (b"\xef\xbb\xbf{}", Stage.DECODE, "InvalidJson"),
        (b'{"id":"1","text":"\xff\xfe"}', Stage.DECODE, "InvalidUtf8"),
        (b'{"id":"1","text":"\xed\xa0\x80"}', Stage.DECODE, "InvalidUtf8"),
        (b'{"id":"1","text":"\\ud800"}', Stage.DECODE, "LoneSurrogate"),
        (b'{"id":"1","text":"\\ud800 tail of the text"}', Stage.DECODE, "LoneSurrogate"),
        (b'{"id":"1","text":"\\udc00 tail of the text"}', Stage.DECODE, "LoneSurrogate"),
        (b'{"id":"1","text":"first","text":"second"}', Stage.DECODE, "DuplicateName"),
        (b"[" * 1000 + b"]" * 1000, Stage.DECODE, "NestedTooDeep"),
        (b'{"id":"1","text":"x","n":' + b"[" * 300 + b"]" * 300 + b"}", Stage.DECODE, "NestedTooDeep"),
        (b"null", Stage.VALIDATE, "NotAnObject"),
        (b"[]", Stage.VALIDATE, "NotAnObject"),
        (b'"text"', Stage.VALIDATE, "NotAnObject"),
        (b"{}", Stage.VALIDATE, "IdMissing"),
        (b'{"text":"x"}', Stage.VALIDATE, "IdMissing"),
        (b'{"id":"1"}', Stage.VALIDATE, "TextMissing"),
        (b'{"id":7.0,"text":"x"}', Stage.VALIDATE, "IdNotAStringOrInteger"),
        (b'{"id":true,"text":"x"}', Stage.VALIDATE, "IdNotAStringOrInteger"),
        (b'{"id":null,"text":"x"}', Stage.VALIDATE, "IdNotAStringOrInteger"),
        (b'{"id":' + b"7" * 40 + b',"text":"x"}', Stage.VALIDATE, "IdNotAStringOrInteger"),
        (b'{"id":"1","text":null}', Stage.VALIDATE, "TextNotAString"),
        (b'{"id":"1","text":["x"]}', Stage.VALIDATE, "TextNotAString"),
        (b'{"id":"1","text":true}', Stage.VALIDATE, "TextNotAString"),
        (b'{"id":"1","text":"' + b"a" * 1_048_576 + b'"}', Stage.DECODE, "ValueTooLarge"),
        (b'{"id":"1","text":"x","n":' + b"9" * 1_000_000 + b"}", Stage.DECODE, "InvalidJson"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_bad_input_is_rejected_with_its_reason(value: bytes, stage: Stage, error: str) -> None:
    outcome = decode(value)
    assert isinstance(outcome, Rejected)
    assert (outcome.stage, outcome.error) == (stage, error)
    assert outcome.reason


@pytest.mark.parametrize(
    "value",
    [
        b'{"id":"secret-1","text":"my private words","text":"again"}',
        b'{"id":"secret-1","text":"my private words\\ud800"}',
        b'{"id":"secret-1","my private words":1,"my private words":2}',
        b'{"id":"secret-1","text":["my private words"]}',
        b'"my private words"',
        b'{"my private words',
    ],
)
def test_a_reason_never_quotes_the_payload(value: bytes) -> None:
    outcome = decode(value)
    assert "private" not in outcome.reason
    assert "secret" not in outcome.reason


def test_pointers_reach_into_nested_documents() -> None:
    decoder = Decoder(InputSettings(id_pointer="/data/meta/0/key~1id", text_pointer="/data/body"))
    value = json.dumps({"data": {"body": "hello", "meta": [{"key/id": "c-9"}]}}).encode()
    assert decode(value, decoder)[2:4] == ("c-9", "hello")


@pytest.mark.parametrize("document", [{"data": []}, {"data": {"meta": []}}, {"data": {"meta": "x"}}, {"data": None}])
def test_a_pointer_that_leads_nowhere_is_a_missing_field(document: dict[str, Any]) -> None:
    decoder = Decoder(InputSettings(id_pointer="/data/meta/0/id"))
    assert decode(json.dumps(document).encode(), decoder).error == "IdMissing"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["id", "text", "author", "", "0"]), JSON) | JSON


@given(DOCUMENTS)
def test_decoding_agrees_with_the_published_schema(document: Any) -> None:
    value = json.dumps(document).encode("utf-8", "surrogatepass")
    try:
        event = CommentEvent.model_validate_json(value)
    except ValidationError:
        assert isinstance(decode(value), Rejected)
    else:
        outcome = decode(value)
        assert isinstance(outcome, Comment)
        assert (outcome.id, outcome.text) == (str(event.id), event.text)


@given(st.binary(max_size=200))
def test_any_bytes_give_one_outcome(value: bytes) -> None:
    assert isinstance(decode(value), Comment | Rejected)


@given(st.binary(max_size=12), st.integers(0, 80), st.integers(0, 20))
def test_a_damaged_comment_gives_one_outcome(noise: bytes, at: int, cut: int) -> None:
    whole = b'{"id":"c-1","text":"You wrote \\u00e9\\ud83d\\ude00 and more","n":[1.5e3,{"a":null}]}'
    assert isinstance(decode(whole[:at] + noise + whole[at + cut :]), Comment | Rejected)
