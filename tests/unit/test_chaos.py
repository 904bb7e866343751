"""The chaos run's oracle, accounts and plan: they find what breaks a promise, and nothing else."""

import json
import uuid
import zlib
from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Message

from tests.chaos.accounts import discrepancies, explained_repeats, move_accounts, uncounted
from tests.chaos.events import CHECKSUM_HEADER, ERRORS, KEYS, NUMBER_HEADER, Kind, Stream, key_of, labels_of, text_of
from tests.chaos.losses import Losses
from tests.chaos.oracle import Oracle
from tests.chaos.places import Places
from tests.chaos.plan import KINDS, Fault, Lane, kinds_named, make_plan
from tests.chaos.variants import SCORERS, Variant
from tests.chaos.worker_logs import Move, moves_in
from tests.chaos.worker_metrics import read_counts

EVENT_ID = "5b0d4e6e-0000-5000-8000-000000000000"
PARTITION = 3


def label_event(number: int, *, log: str = "log-0", variant: Variant = Variant.USUAL, **changes: Any) -> Message:
    identity = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{log}/{number}/{variant}"))
    scorer = SCORERS[variant]
    value = {
        "id": identity,
        "comment": {"id": f"e-{number}", "text": text_of(number)},
        "labels": labels_of(number, variant),
        "model": {"digest": scorer.identity.digest},
        "thresholds": {"set": scorer.thresholds.name},
        "source": {"topic_id": log, "partition": PARTITION, "offset": number},
        **changes,
    }
    return Message(topic="out", partition=0, offset=0, key=key_of(number), value=json.dumps(value).encode())


def dead_letter(
    number: int, kind: Kind, value: bytes, sent: bytes | None = None, *, error: bytes = b"", worker: str = "w"
) -> Message:
    headers: list[tuple[str, str | bytes | None]] = [
        (NUMBER_HEADER, b"%d" % number),
        (CHECKSUM_HEADER, b"%d" % zlib.crc32(value if sent is None else sent)),
        ("__connect.errors.exception.class.name", error or ERRORS[kind]),
        ("__connect.errors.task.id", worker.encode()),
    ]
    return Message(topic="dlq", partition=0, offset=0, key=key_of(number), value=value, headers=headers)


def oracle_of(*kinds: Kind) -> Oracle:
    """An oracle of a stream of these events, each at the offset of its number in one partition of the first log."""
    losses = Losses(Places())
    losses.places.topic_ids.append("log-0")
    oracle = Oracle(Stream(seed=1), losses)
    add(oracle, *kinds)
    return oracle


def add(oracle: Oracle, *kinds: Kind) -> None:
    stream, places = oracle._stream, oracle._places
    for kind in kinds:
        number = len(stream)
        stream.add(kind)
        places.sent(1)
        places.acknowledge(number, PARTITION, number)


def recreated(oracle: Oracle, committed: dict[int, int]) -> None:
    oracle._losses.deleted(committed)
    oracle._places.topic_ids.append(f"log-{len(oracle._places.topic_ids)}")


def worker(
    counts: Mapping[Any, int], moves: list[Move] | None = None, exit_code: int = 0, *, counted_all: bool = True
) -> Any:
    process = SimpleNamespace(poll=lambda: exit_code)
    return SimpleNamespace(
        name="w", counts=Counter(counts), moves=moves or [], counted_all=counted_all, process=process
    )


def test_missing_events_are_named_and_a_tombstone_is_not_missing() -> None:
    oracle = oracle_of(Kind.COMMENT, Kind.TOMBSTONE, Kind.MALFORMED, Kind.COMMENT)
    oracle.label_event(label_event(0))
    assert oracle.missing == 2
    assert oracle.missing_numbers() == [2, 3]
    assert oracle.missing_numbers(1) == [2]
    oracle.dead_letter(dead_letter(2, Kind.MALFORMED, b"x"))
    oracle.label_event(label_event(3))
    assert oracle.missing == 0
    assert not any(f.count for f in (oracle.doubled, oracle.unexplained, oracle.altered, oracle.disorder))


def test_an_event_that_retention_took_and_whose_log_was_deleted_is_lost_once() -> None:
    oracle = oracle_of(*[Kind.COMMENT] * 5)
    oracle._losses.cut({PARTITION: 3})
    oracle._losses.reported(Move("below_start", PARTITION, 0, 3))
    recreated(oracle, {PARTITION: 0})
    oracle._losses.reported(Move("recreated", PARTITION, None, 0))
    oracle.explain_losses()
    assert {reason: len(numbers) for reason, numbers in oracle._losses.explained.items()} == {
        "below_start": 3,
        "recreated": 5,
    }
    assert oracle.missing == 0


def test_missing_events_are_named_by_where_they_lie() -> None:
    oracle = oracle_of(*[Kind.COMMENT] * 5)
    recreated(oracle, {PARTITION: 5})
    add(oracle, Kind.COMMENT)
    missing = np.array([1, 2, 4, 5])
    assert oracle._places.spans(missing) == [
        f"3 in log 0, partition {PARTITION}, offsets 1 to 4",
        f"1 in log 1, partition {PARTITION}, offsets 5 to 5",
    ]


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


def test_a_repeat_by_another_model_and_set_must_have_another_id_and_its_own_labels() -> None:
    number = KEYS  # its text is an insult
    oracle = oracle_of(*[Kind.COMMENT] * (number + 2))
    oracle.label_event(label_event(number))
    oracle.label_event(label_event(number, variant=Variant.LENIENT))
    assert (oracle.rescored, oracle.differing.count, oracle.altered.count) == (1, 0, 0)
    first = json.loads(label_event(number).value() or b"")
    oracle.label_event(label_event(number, variant=Variant.LENIENT, id=first["id"]))
    assert oracle.differing.examples == [f"e-{number}"]
    oracle.label_event(label_event(number, variant=Variant.LENIENT, labels=labels_of(number)))
    assert oracle.altered.examples == [f"the label event of e-{number}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["threat"]},
        {"model": {"digest": "sha256:00"}},
        {"thresholds": {"set": "nobody's"}},
        {"source": {"topic_id": None, "partition": PARTITION, "offset": 0}},
        {"source": {"topic_id": "log-0", "partition": PARTITION, "offset": 1}},
        {"source": {"topic_id": "log-0", "partition": PARTITION + 1, "offset": 0}},
    ],
)
def test_a_label_event_with_anything_wrong_is_found_and_its_comment_stays_missing(changes: dict[str, Any]) -> None:
    oracle = oracle_of(Kind.COMMENT)
    oracle.label_event(label_event(0, **changes))
    assert (oracle.altered.examples, oracle.missing) == (["the label event of e-0"], 1)


def test_a_dead_letter_with_other_bytes_is_found() -> None:
    oracle = oracle_of(Kind.MALFORMED)
    oracle.dead_letter(dead_letter(0, Kind.MALFORMED, b"x", sent=b"y"))
    assert oracle.altered.examples == ["the dead letter of e-0"]


def test_unexplained_records_are_found() -> None:
    oracle = oracle_of(Kind.COMMENT, Kind.MALFORMED)
    oracle.label_event(label_event(1))
    oracle.label_event(label_event(7))
    oracle.dead_letter(dead_letter(0, Kind.POISON, b"x"))
    oracle.dead_letter(dead_letter(1, Kind.POISON, b"x"))
    assert oracle.unexplained.count == 4
    assert oracle.missing == 2


def test_a_good_comment_may_be_a_dead_letter_only_for_a_reason_that_a_fault_has_given() -> None:
    oracle = oracle_of(Kind.LONG, Kind.LONG)
    oracle.dead_letter(dead_letter(0, Kind.LONG, b"x", error=b"OutputTooLarge"))
    assert (oracle.unexplained.count, oracle.missing) == (1, 2)
    oracle.other_errors.add(b"OutputTooLarge")
    oracle.dead_letter(dead_letter(0, Kind.LONG, b"x", error=b"OutputTooLarge"))
    oracle.dead_letter(dead_letter(1, Kind.LONG, b"x", error=b"InvalidTimestamp"))
    assert (oracle.unexplained.count, oracle.missing) == (2, 1)


def test_an_event_out_of_order_for_its_key_is_found() -> None:
    oracle = oracle_of(*[Kind.COMMENT] * (KEYS + 2))
    oracle.label_event(label_event(1))
    oracle.label_event(label_event(0))
    assert oracle.disorder.count == 0, "another key has its own order"
    oracle = oracle_of(*[Kind.COMMENT] * (KEYS + 2))
    oracle.label_event(label_event(KEYS))
    oracle.label_event(label_event(0))
    assert oracle.disorder.examples == [f"e-0 after e-{KEYS}"]


def test_a_loss_is_explained_only_where_retention_cut_and_a_worker_reported_it() -> None:
    oracle = oracle_of(*[Kind.COMMENT] * 10)
    losses = oracle._losses
    losses.cut({PARTITION: 6})
    oracle.explain_losses()
    assert oracle.missing == 10, "no worker has reported it"
    losses.reported(Move("below_start", PARTITION + 1, 0, 6))
    losses.reported(Move("below_start", PARTITION, 2, 8))
    oracle.explain_losses()
    assert oracle.missing_numbers() == [0, 1, 6, 7, 8, 9], "before the position, and beyond the cut"
    oracle.label_event(label_event(3))
    assert (oracle.missing, losses.count) == (6, 3), "what comes out after all is not lost"


def test_a_log_that_is_deleted_takes_only_what_the_group_had_not_committed_and_a_worker_must_say_so() -> None:
    oracle = oracle_of(*[Kind.COMMENT] * 4)
    recreated(oracle, {PARTITION: 2})
    add(oracle, Kind.COMMENT)
    assert oracle._losses.unreported
    oracle.explain_losses()
    assert oracle.missing == 5
    oracle._losses.reported(Move("recreated", PARTITION, None, 0))
    oracle.explain_losses()
    assert oracle.missing_numbers() == [0, 1, 4], "committed, and in the new log"
    assert not oracle._losses.unreported


def test_a_record_of_a_new_log_may_come_out_once_more_under_the_old_logs_id_and_only_before_it_was_noticed() -> None:
    oracle = oracle_of()
    recreated(oracle, {})
    add(oracle, Kind.COMMENT, Kind.COMMENT)
    oracle._places.early_until({PARTITION: 1})
    for number in range(2):
        oracle.label_event(label_event(number, log="log-0"))
        oracle.label_event(label_event(number, log="log-1"))
    assert (oracle.moved_twice, oracle.repeats, oracle.doubled.examples) == (1, 1, ["e-1"])
    assert oracle.differing.count == 0
    oracle.label_event(label_event(0, log="log-1"))
    assert oracle.moved_twice == 2
    oracle.label_event(label_event(0, log="log-7"))
    assert oracle.altered.count == 1, "a log that never was"


def test_counters_must_not_claim_more_than_came_out_and_at_the_end_not_less() -> None:
    came = Counter({("w", "InvalidJson"): 3})
    counted = {("dead_letters", "InvalidJson", "DECODE"): 3}
    assert discrepancies([worker(counted)], came) == []
    assert discrepancies([worker({})], came) == ["w counted 0 dead letters InvalidJson, and there are 3"]
    assert discrepancies([worker({}, counted_all=False)], came) == [], "it was killed before it was asked again"
    assert discrepancies([worker(counted, counted_all=False)], Counter()) != []


def test_what_a_worker_has_yet_to_count_is_waited_for() -> None:
    came = Counter({("w", "InvalidJson"): 3, ("w", "Poison"): 1, ("another", "Poison"): 5})
    counted = {("dead_letters", "InvalidJson", "DECODE"): 2, ("dead_letters", "OutputTooLarge", "PRODUCE"): 1}
    assert uncounted([worker(counted)], came) == 2, "another's letters and what did not come make up for nothing"
    assert uncounted([], came) == 0


def test_moved_positions_are_counted_as_they_are_logged() -> None:
    moves = [Move("below_start", 0, 10, 25), Move("recreated", 1, None, 0)]
    counted = {("positions_moved", "below_start"): 1, ("positions_moved", "recreated"): 1}
    skipped = {("records_skipped", "retention"): 15}
    assert discrepancies([worker(counted | skipped, moves)], Counter()) == []
    assert len(discrepancies([worker(counted, moves)], Counter())) == 1
    assert len(discrepancies([worker(counted | skipped, moves[:1])], Counter())) == 1, "counted and not logged"
    assert [(each.counted, each.found) for each in move_accounts([worker(counted | skipped, moves)])] == [
        (1, 1),
        (1, 1),
        (15, 15),
    ]


def test_repeats_are_explained_by_interruptions_and_by_none_with_exactly_once() -> None:
    workers = [worker({("rebalances", "revoke"): 2, ("commits", "failed"): 1}), worker({}, exit_code=-9)]
    assert explained_repeats(workers, "at-least-once", 1000) == (4, 4000)
    assert explained_repeats(workers, "exactly-once", 1000) == (0, 0)
    assert explained_repeats([worker({})], "at-least-once", 1000).most == 0


def test_the_workers_own_words_for_a_moved_position_are_understood() -> None:
    message = "in: the group's position moved in partition 0 from 5 to 9, 2 from another log to 0 (below_start): words"
    line = json.dumps({"event": message, "level": "error"})
    assert list(moves_in(["", "not JSON", line])) == [
        Move("below_start", 0, 5, 9),
        Move("below_start", 2, None, 0),
    ]
    with pytest.raises(ValueError, match="can't be read"):
        list(moves_in([json.dumps({"event": message, "level": "warning"})]))


def test_counters_are_read_by_name_and_labels() -> None:
    text = (
        "# HELP sluice_dead_letters_total of\n"
        'sluice_dead_letters_total{error="InvalidJson",stage="DECODE"} 3.0\n'
        'sluice_positions_moved_total{reason="recreated"} 0.0\n'
        "sluice_batches_total 1e+06\n"
    )
    assert read_counts(text) == {("dead_letters", "InvalidJson", "DECODE"): 3, ("batches",): 1_000_000}


def test_a_plan_is_repeatable_in_order_and_has_every_kind() -> None:
    plan = make_plan(3, 40)
    assert plan == make_plan(3, 40)
    assert plan != make_plan(4, 40)
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)
    assert all(0 < fault.at < 1 for fault in plan)
    assert Counter(fault.fault for fault in plan).keys() == set(Fault)
    assert make_plan(3, 0) == []


def test_a_plan_has_only_the_kinds_that_are_asked_for() -> None:
    kinds = kinds_named("classic,slow-disk")
    assert kinds == (*KINDS["classic"], Fault.SLOW_DISK)
    assert {fault.fault for fault in make_plan(3, 100, kinds)} == set(kinds)
    assert set(KINDS["classic"]) | set(KINDS["cluster"]) == set(Fault)
    assert {fault.lane for fault in Fault} == set(Lane)
    with pytest.raises(ValueError, match="no-such-kind"):
        kinds_named("no-such-kind")


def test_a_stream_is_repeatable() -> None:
    first, second = Stream(5), Stream(5)
    assert first.take(4000) == second.take(1000) + second.take(3000)
    assert first.owed == sum(kind != Kind.TOMBSTONE for kind in first.kinds)
    assert set(first.kinds) == set(Kind)
