"""A dead letter is the unchanged record with headers that say why it failed; a replay removes those headers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetterHeaders
from testkit.records import ASSIGNMENT, record
from worker.events.dead_letter import DeadLetterEncoder, strip_failure, with_time_of_now
from worker.kafka.dead_letters.reader import Filter, dead_letter
from worker.settings import Settings
from worker.types import Rejected, Stage

ENCODER = DeadLetterEncoder(Settings(), task_id="pod-1", model_id="sluice-mini", clock=lambda: 1_795_348_800.5)


def rejected(message: Any, error: str = "InvalidJson", reason: str = "the value is not valid JSON") -> Rejected:
    return Rejected(message, ASSIGNMENT, Stage.DECODE, error, reason)


def test_key_value_timestamp_and_own_headers_are_untouched() -> None:
    own: list[tuple[str, bytes | None]] = [("a", b"\xff"), ("a", None), ("traceparent", b"00-1")]
    outgoing = ENCODER.encode(rejected(record(b"\xff\x00", key=b"\x01", headers=own)))
    assert (outgoing.topic, outgoing.key, outgoing.value) == ("comments.dlq", b"\x01", b"\xff\x00")
    assert outgoing.timestamp_ms == 1_795_348_800_042
    assert outgoing.headers[:3] == own


def test_headers_are_those_of_the_schema() -> None:
    headers = {n: (v or b"").decode() for n, v in ENCODER.encode(rejected(record(b"x"))).headers}
    told = DeadLetterHeaders.model_validate(headers)
    assert (told.topic, told.partition, told.offset) == ("comments", 3, 4711)
    assert (told.stage, told.exception_class) == ("DECODE", "InvalidJson")
    assert told.origin == "comments/3/4711"
    assert told.failed_at.isoformat() == "2026-11-22T12:00:00.500000+00:00"


@pytest.mark.parametrize(
    ("stage", "component"),
    [
        (Stage.DECODE, b"sluice.decoder"),
        (Stage.VALIDATE, b"sluice.decoder"),
        (Stage.TOKENIZE, b"sluice.tokenizer"),
        (Stage.INFERENCE, b"sluice.model"),
        (Stage.PRODUCE, b"sluice.producer"),
    ],
)
def test_the_part_that_met_the_fault_has_a_name_that_no_move_of_a_module_changes(
    stage: Stage, component: bytes
) -> None:
    letter = ENCODER.encode(Rejected(record(b"x"), ASSIGNMENT, stage, "Error", "a reason"))
    assert dict(letter.headers)["__connect.errors.class.name"] == component


@pytest.mark.parametrize(("replays", "attempts"), [(None, b"1"), (b"1", b"2"), (b"12", b"13"), (b"many", b"1")])
def test_attempts_count_the_first_and_each_replay(replays: bytes | None, attempts: bytes) -> None:
    headers = [] if replays is None else [("dlq.replay_count", replays)]
    assert dict(ENCODER.encode(rejected(record(b"x", headers=headers))).headers)["dlq.attempts"] == attempts


def test_a_letter_with_the_time_of_now_keeps_the_original_in_a_header_that_a_replay_strips() -> None:
    letter = with_time_of_now(ENCODER.encode(rejected(record(b"x"))))
    assert letter.timestamp_ms == 0
    told = DeadLetterHeaders.model_validate({name: (value or b"").decode() for name, value in letter.headers})
    assert told.original_timestamp == 1_795_348_800_042
    assert strip_failure(letter.headers) == [("dlq.origin", b"comments/3/4711")]


def test_failing_again_replaces_the_headers_and_keeps_the_origin() -> None:
    first = ENCODER.encode(rejected(record(b"x")))
    again = ENCODER.encode(rejected(record(b"x", headers=first.headers, offset=99), error="NotAnObject"))
    names = [name for name, _ in again.headers]
    assert len(names) == len(set(names)) == len(first.headers)
    headers = dict(again.headers)
    assert headers["dlq.origin"] == b"comments/3/4711"
    assert headers["__connect.errors.offset"] == b"99"
    assert headers["__connect.errors.exception.class.name"] == b"NotAnObject"


@given(st.text(), st.text(max_size=20))
def test_what_is_too_long_is_cut_between_characters(reason: str, error: str) -> None:
    headers = dict(ENCODER.encode(rejected(record(b"x"), error, reason * 50)).headers)
    message = headers["__connect.errors.exception.message"] or b""
    assert len(message) <= 1024
    assert (reason * 50).encode(errors="replace").startswith(message)
    message.decode()


@pytest.mark.parametrize("timestamp", [(0, -1), (1, 0)])
def test_a_record_without_a_timestamp_gets_one_now(timestamp: tuple[int, int]) -> None:
    assert ENCODER.encode(rejected(record(b"x", timestamp=timestamp))).timestamp_ms == 0


def test_stripping_leaves_what_the_producer_wrote() -> None:
    own: list[tuple[str, bytes | None]] = [("a", b"1"), ("a", b"2")]
    stripped = strip_failure(ENCODER.encode(rejected(record(b"x", headers=own))).headers)
    assert stripped == [*own, ("dlq.origin", b"comments/3/4711")]


def test_a_reader_finds_what_the_headers_say() -> None:
    outgoing = ENCODER.encode(rejected(record(b"x", headers=[("dlq.replay_count", b"2")])))
    letter = dead_letter(record(b"x", headers=outgoing.headers))
    assert (letter.topic, letter.error, letter.stage, letter.replays) == ("comments", "InvalidJson", "DECODE", 2)
    assert letter.failed_at == "2026-11-22T12:00:00.500Z"


@pytest.mark.parametrize("count", [b"", b"-1", b"x", "\u0663".encode(), None])
def test_an_invalid_count_counts_as_zero(count: bytes | None) -> None:
    assert dead_letter(record(b"x", headers=[("dlq.replay_count", count)])).replays == 0


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [
        (Filter(), True),
        (Filter(errors=frozenset({"InvalidJson", "Other"})), True),
        (Filter(errors=frozenset({"Other"})), False),
        (Filter(stages=frozenset({"DECODE"})), True),
        (Filter(stages=frozenset({"PRODUCE"})), False),
        (Filter(since="2026-11-22T12:00:00.500Z"), True),
        (Filter(since="2026-11-22T12:00:00.501Z"), False),
        (Filter(until="2026-11-22T12:00:00.501Z"), True),
        (Filter(until="2026-11-22T12:00:00.500Z"), False),
    ],
)
def test_a_filter_takes_what_meets_every_condition(chosen: Filter, taken: bool) -> None:
    headers = ENCODER.encode(rejected(record(b"x"))).headers
    assert chosen.takes(dead_letter(record(b"x", headers=headers))) is taken
