"""The chaos run's oracle and plan: the oracle finds what breaks a promise, and nothing else."""

import json
import uuid
import zlib
from collections import Counter
from typing import Any

from confluent_kafka import Message

from tests.chaos.events import CHECKSUM_HEADER, ERRORS, KEYS, NUMBER_HEADER, Kind, Stream, key_of, labels_of, text_of
from tests.chaos.oracle import Oracle
from tests.chaos.plan import Fault, make_plan

EVENT_ID = "5b0d4e6e-0000-5000-8000-000000000000"


def label_event(number: int, **changes: Any) -> Message:
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
    comment = {"id": f"e-{number}", "text": text_of(number)}
    value = {"id": identity, "comment": comment, "labels": labels_of(number), **changes}
    return Message(topic="out", partition=0, offset=0, key=key_of(number), value=json.dumps(value).encode())


def dead_letter(number: int, kind: Kind, value: bytes, sent: bytes | None = None) -> Message:
    headers: list[tuple[str, str | bytes | None]] = [
        (NUMBER_HEADER, b"%d" % number),
        (CHECKSUM_HEADER, b"%d" % zlib.crc32(value if sent is None else sent)),
        ("__connect.errors.exception.class.name", ERRORS[kind]),
    ]
    return Message(topic="dlq", partition=0, offset=0, key=key_of(number), value=value, headers=headers)


def oracle_of(*kinds: Kind) -> Oracle:
    stream = Stream(seed=1)
    for kind in kinds:
        stream.add(kind)
    return Oracle(stream)


def test_missing_events_are_named_and_a_tombstone_is_not_missing() -> None:
    oracle = oracle_of(Kind.COMMENT, Kind.TOMBSTONE, Kind.MALFORMED, Kind.COMMENT)
    oracle.label_event(label_event(0))
    assert oracle.missing == 2
    assert oracle.missing_numbers() == [2, 3]
    oracle.dead_letter(dead_letter(2, Kind.MALFORMED, b"x"))
    oracle.label_event(label_event(3))
    assert oracle.missing == 0
    assert not any(f.count for f in (oracle.doubled, oracle.unexplained, oracle.altered, oracle.disorder))


def test_a_repeat_is_counted_and_a_repeat_with_another_id_is_found() -> None:
    oracle = oracle_of(Kind.COMMENT, Kind.MALFORMED)
    oracle.label_event(label_event(0))
    oracle.label_event(label_event(0))
    assert (oracle.repeats, oracle.doubled.examples, oracle.differing.count) == (1, ["e-0"], 0)
    oracle.label_event(label_event(0, id=EVENT_ID))
    assert oracle.differing.examples == ["e-0"]
    for _ in range(2):
        oracle.dead_letter(dead_letter(1, Kind.MALFORMED, b"x"))
    assert oracle.doubled.examples == ["e-0", "e-1"]


def test_unexplained_records_are_found() -> None:
    oracle = oracle_of(Kind.COMMENT, Kind.MALFORMED)
    oracle.label_event(label_event(1))
    oracle.label_event(label_event(7))
    oracle.dead_letter(dead_letter(0, Kind.POISON, b"x"))
    oracle.dead_letter(dead_letter(1, Kind.POISON, b"x"))
    assert oracle.unexplained.count == 4
    assert oracle.missing == 2


def test_wrong_labels_and_other_bytes_are_found() -> None:
    oracle = oracle_of(Kind.COMMENT, Kind.MALFORMED)
    oracle.label_event(label_event(0, labels=["threat"]))
    oracle.dead_letter(dead_letter(1, Kind.MALFORMED, b"x", sent=b"y"))
    assert oracle.altered.examples == ["the label event of e-0", "the dead letter of e-1"]


def test_an_event_out_of_order_for_its_key_is_found() -> None:
    oracle = oracle_of(*[Kind.COMMENT] * (KEYS + 2))
    oracle.label_event(label_event(1))
    oracle.label_event(label_event(0))
    assert oracle.disorder.count == 0, "another key has its own order"
    oracle = oracle_of(*[Kind.COMMENT] * (KEYS + 2))
    oracle.label_event(label_event(KEYS))
    oracle.label_event(label_event(0))
    assert oracle.disorder.examples == [f"e-0 after e-{KEYS}"]


def test_a_plan_is_repeatable_in_order_and_has_every_kind() -> None:
    plan = make_plan(3, 40)
    assert plan == make_plan(3, 40)
    assert plan != make_plan(4, 40)
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)
    assert all(0 < fault.at < 1 for fault in plan)
    assert Counter(fault.fault for fault in plan).keys() == set(Fault)
    assert make_plan(3, 0) == []


def test_a_stream_is_repeatable() -> None:
    first, second = Stream(5), Stream(5)
    assert first.take(4000) == second.take(1000) + second.take(3000)
    assert first.owed == sum(kind != Kind.TOMBSTONE for kind in first.kinds)
    assert set(first.kinds) == set(Kind)
