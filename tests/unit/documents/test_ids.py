"""A comment has one id, of the kind that the settings ask for, and says where it is from."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testkit.records import ASSIGNMENT, record
from worker.documents.ids import id_of_record
from worker.events.decoding import Decoder
from worker.settings import InputSettings
from worker.types import Comment, IdSource, Rejected

UUID = "6f0a5b1e-51c6-5d3c-9d0f-2f4f3a5f7d11"


def decoded(kind: str, identity: Any, **more: Any) -> Any:
    value = json.dumps({"id": identity, "text": "x"}).encode()
    return Decoder(InputSettings(id_kind=kind)).decode(record(value, **more), ASSIGNMENT)


@pytest.mark.parametrize(
    ("kind", "identity", "taken"),
    [
        ("string-or-integer", "c-1", "c-1"),
        ("string-or-integer", "", ""),
        ("string-or-integer", 7, "7"),
        ("string-or-integer", -(2**127), str(-(2**127))),
        ("integer", 2**64, "18446744073709551616"),
        ("string", "7", "7"),
        ("uuid", UUID, UUID),
        ("uuid", UUID.upper(), UUID),
        ("uuid", UUID.replace("-", ""), UUID),
        ("uuid", f"urn:uuid:{UUID}", UUID),
        ("uuid", f"{{{UUID}}}", UUID),
    ],
)
def test_an_id_is_taken_as_a_string(kind: str, identity: Any, taken: str) -> None:
    outcome = decoded(kind, identity)
    assert isinstance(outcome, Comment)
    assert (outcome.id, outcome.id_source) == (taken, IdSource.FIELD)


@pytest.mark.parametrize(
    ("kind", "identity", "error"),
    [
        ("string-or-integer", 7.5, "IdNotAStringOrInteger"),
        ("string-or-integer", True, "IdNotAStringOrInteger"),
        ("string-or-integer", None, "IdNotAStringOrInteger"),
        ("string-or-integer", 10**39, "IdNotAStringOrInteger"),
        ("string-or-integer", int("7" * 4200), "IdNotAStringOrInteger"),
        ("integer", "7", "IdNotAnInteger"),
        ("integer", 7.0, "IdNotAnInteger"),
        ("string", 7, "IdNotAString"),
        ("uuid", 7, "IdNotAUuid"),
        ("uuid", "c-1", "IdNotAUuid"),
        ("uuid", UUID + "\n", "IdNotAUuid"),
        ("uuid", "{" + UUID, "IdNotAUuid"),
        ("uuid", UUID[:-1] + "\N{ARABIC-INDIC DIGIT ONE}", "IdNotAUuid"),
    ],
)
def test_an_id_of_another_kind_is_a_dead_letter_that_says_which_is_needed(kind: str, identity: Any, error: str) -> None:
    outcome = decoded(kind, identity)
    assert isinstance(outcome, Rejected)
    assert outcome.error == error
    assert "is required" in outcome.reason
    assert str(identity) not in outcome.reason or identity in (None, 7)


@pytest.mark.parametrize(
    ("key", "identity", "source"),
    [
        (b"user-1", "user-1", IdSource.KEY),
        ("größe".encode(), "größe", IdSource.KEY),
        (None, "comments-3-4711", IdSource.POSITION),
        (b"", "comments-3-4711", IdSource.POSITION),
        (b"  ", "comments-3-4711", IdSource.POSITION),
        (b"\x00\x00\x00\x00\x00\x00\x00\x07", "comments-3-4711", IdSource.POSITION),
        (b"\xff\xfe", "comments-3-4711", IdSource.POSITION),
        (b"k" * 1025, "comments-3-4711", IdSource.POSITION),
    ],
)
def test_without_ids_the_key_is_the_id_where_it_is_text_and_the_position_elsewhere(
    key: bytes | None, identity: str, source: IdSource
) -> None:
    outcome = Decoder(InputSettings(id_kind="none")).decode(record(b'{"id":[],"text":"x"}', key=key), ASSIGNMENT)
    assert isinstance(outcome, Comment)
    assert (outcome.id, outcome.id_source) == (identity, source)


@given(st.binary(max_size=40))
def test_any_key_gives_an_id_that_is_readable(key: bytes) -> None:
    identity, _ = id_of_record(record(b"{}", key=key))
    assert identity.isprintable()
    assert identity.strip()


@given(st.uuids())
def test_a_uuid_is_written_in_one_way(identity: uuid.UUID) -> None:
    spellings = (str(identity), str(identity).upper(), identity.hex, identity.urn, f"{{{identity}}}")
    assert {decoded("uuid", spelling).id for spelling in spellings} == {str(identity)}
