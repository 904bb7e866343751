"""A record that a broker refuses for what it is costs no other record, in both guarantees, and stops no worker.

The broker refuses a whole request for one record in it, so those sent along with it are refused with it.
"""

import time
from typing import Any

import pytest

from testkit.member import forward_deletions, produce
from testkit.topic_reader import read_to_end
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.errors import BreakerOpen, Fatal
from worker.types import Assignment, Outcome, Record, Rejected, Stage

pytestmark = pytest.mark.kafka

EXACTLY_ONCE = {"guarantee": "exactly-once"}
DAY_MS = 86_400_000
ANY_TIMESTAMP = {"message.timestamp.after.max.ms": str(2**63 - 1)}


@pytest.fixture(params=["at-least-once", "exactly-once"])
def delivery(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"guarantee": request.param}


def reject_all(record: Record, assignment: Assignment) -> Outcome:
    return Rejected(record, assignment, Stage.DECODE, "InvalidJson", "the value is not valid JSON")


def test_only_the_large_ones_become_dead_letters(real_group: Group, delivery: dict[str, Any]) -> None:
    real_group.output = real_group.backend.create_topic(f"{real_group.output}-small", {"max.message.bytes": "5000"})
    real_group.fill(20)
    member = real_group.join(
        {"compression.type": "none"},
        delivery=delivery,
        enlarge=lambda outcome: bytes(10_000 if outcome.record.offset() in (3, 7) else 10),
    )
    member.consume(20 * PARTITIONS)
    dead = read_to_end(real_group.backend.bootstrap_servers, real_group.dead_letters)
    assert sorted({int(m.value()) for m in dead}) == [3, 7]
    assert len(dead) == 2 * PARTITIONS
    large = [p for p in real_group.everything(20) if p.endswith(("/3", "/7"))]
    assert sorted(real_group.published()) == sorted(set(real_group.everything(20)) - set(large))
    assert real_group.committed() == dict.fromkeys(range(PARTITIONS), 20)


def test_a_transaction_it_fails_is_not_waited_for(real_group: Group) -> None:
    """librdkafka sends nothing more of it, and reports what it still holds when that times out: in ten minutes."""
    each = 1000
    real_group.output = real_group.backend.create_topic(f"{real_group.output}-small", {"max.message.bytes": "5000"})
    real_group.fill(each)
    member = real_group.join(
        {"compression.type": "none", "batch.size": 2000},
        delivery=EXACTLY_ONCE
        | {"timeout_seconds": 600, "transaction_timeout_seconds": 600, "drain_seconds": 700, "revoke_seconds": 30},
        enlarge=lambda outcome: bytes(10_000 if outcome.record.offset() == 100 else 300),
    )
    member.consume(each * PARTITIONS)
    assert len(real_group.published()) == (each - 1) * PARTITIONS
    assert len(read_to_end(real_group.backend.bootstrap_servers, real_group.dead_letters)) == PARTITIONS


def test_the_last_event_of_each_key_stays_the_last_although_earlier_ones_were_refused_with_another(
    real_group: Group, delivery: dict[str, Any]
) -> None:
    """A request that the broker accepts overtakes one before it that is refused for one record and sent again."""
    servers = real_group.backend.bootstrap_servers
    kafka = real_group.backend.real
    assert kafka is not None
    compacted = kafka.create_topic(f"{real_group.output}-compacted", 1, {"cleanup.policy": "compact"})
    real_group.output = compacted
    numbers = range(60)
    keys = {number: None if number in (3, 31) else b"k%d" % (number % 3) for number in numbers}
    # The last record of each key is a deletion.
    values = {number: b"x" if number < 57 else None for number in numbers}
    produce(servers, real_group.input, ({"value": values[n], "key": keys[n], "partition": 1} for n in numbers))
    member = real_group.join(
        {"compression.type": "none", "batch.size": 2000},
        delivery=delivery,
        judge=forward_deletions,
        enlarge=lambda _: bytes(300),
    )
    member.step_until(lambda: len(member.polled) == len(numbers))
    in_a_later_batch = member.polled[30:]
    del member.polled[30:]
    member.publish()
    member.polled = in_a_later_batch
    member.publish()
    member.settle()
    found = read_to_end(servers, real_group.output)
    for key in (b"k0", b"k1", b"k2"):
        of_key = [m for m in found if m.key() == key]
        assert of_key[-1].value() is None
        last_places = {dict(m.headers())["position"]: m.offset() for m in of_key if m.value() is not None}
        in_input_order = sorted(last_places, key=lambda position: int(position.rpartition(b"/")[2]))
        assert [last_places[position] for position in in_input_order] == sorted(last_places.values())
    assert len(set(real_group.published())) == 57 - 2
    dead = read_to_end(servers, real_group.dead_letters)
    assert sorted(int(dict(m.headers())["__connect.errors.offset"]) for m in dead) == [3, 31]
    assert real_group.committed() == {1: len(numbers)}


def test_small_events_that_are_too_large_only_together_are_all_published(
    real_group: Group, delivery: dict[str, Any]
) -> None:
    """A topic's max.message.bytes bounds a whole request to a partition."""
    real_group.output = real_group.backend.create_topic(f"{real_group.output}-small", {"max.message.bytes": "5000"})
    real_group.fill(40)
    member = real_group.join({"compression.type": "none"}, delivery=delivery, enlarge=lambda _: bytes(300))
    member.consume(40 * PARTITIONS)
    assert sorted(real_group.published()) == real_group.everything(40)
    assert read_to_end(real_group.backend.bootstrap_servers, real_group.dead_letters) == []
    assert real_group.committed() == dict.fromkeys(range(PARTITIONS), 40)


def test_an_event_without_a_key_for_a_compacted_topic_becomes_a_dead_letter(
    real_group: Group, delivery: dict[str, Any]
) -> None:
    servers = real_group.backend.bootstrap_servers
    compacted = real_group.backend.create_topic(f"{real_group.output}-compacted", {"cleanup.policy": "compact"})
    real_group.output = compacted
    keys = {number: None if number in (3, 7) else b"k" for number in range(20)}
    produce(servers, real_group.input, ({"value": b"%d" % n, "key": key, "partition": 1} for n, key in keys.items()))
    member = real_group.join(delivery=delivery)
    member.consume(len(keys))
    dead = read_to_end(servers, real_group.dead_letters)
    assert sorted(int(m.value()) for m in dead) == [3, 7]
    told = dict(dead[0].headers())
    assert told["__connect.errors.stage"] == b"PRODUCE"
    assert told["__connect.errors.exception.class.name"] == b"InvalidRecord"
    assert b"compacted" in told["__connect.errors.exception.message"]
    assert sorted(real_group.published()) == sorted(f"{real_group.input}/1/{n}" for n in keys if n not in (3, 7))
    assert real_group.committed() == {1: len(keys)}
    (settled,) = member.settled
    assert [type(outcome) is Rejected for outcome in settled.outcomes] == [key is None for key in keys.values()]


def test_a_dead_letter_refused_for_its_timestamp_goes_with_the_time_of_now(
    real_group: Group, delivery: dict[str, Any]
) -> None:
    """Its timestamp is the rejected record's own; a topic that somebody else made may refuse it."""
    servers = real_group.backend.bootstrap_servers
    real_group.input = real_group.backend.create_topic(f"{real_group.input}-any", ANY_TIMESTAMP)
    now = int(time.time() * 1000)
    stamps = [now, now + 2 * DAY_MS, now - 1000, now + 3 * DAY_MS]
    produce(servers, real_group.input, ({"value": b"not json", "partition": 0, "timestamp": t} for t in stamps))
    member = real_group.join(delivery=delivery, judge=reject_all)
    member.consume(len(stamps))
    dead = read_to_end(servers, real_group.dead_letters)
    by_offset = {dict(m.headers())["__connect.errors.offset"]: m for m in dead}
    assert len(dead) == len(stamps)
    for offset, stamp in enumerate(stamps):
        letter = by_offset[b"%d" % offset]
        told = dict(letter.headers()).get("dlq.original_timestamp")
        if stamp > now:
            assert told == b"%d" % stamp
            assert now <= letter.timestamp()[1] < now + DAY_MS
        else:
            assert (told, letter.timestamp()[1]) == (None, stamp)
    assert real_group.committed() == {0: len(stamps)}


def test_events_that_are_refused_count_against_the_limit_of_rejections_before_their_commit(
    real_group: Group, delivery: dict[str, Any]
) -> None:
    real_group.output = real_group.backend.create_topic(f"{real_group.output}-small", {"max.message.bytes": "5000"})
    real_group.fill(10)
    member = real_group.join(
        {"compression.type": "none"},
        delivery=delivery,
        dead_letters={"max_run": 5},
        enlarge=lambda _: bytes(10_000),
    )
    with pytest.raises(BreakerOpen, match=r"5 records in a row.*PRODUCE/OutputTooLarge"):
        member.consume(10 * PARTITIONS)
    member.close()
    assert read_to_end(real_group.backend.bootstrap_servers, real_group.dead_letters) == []
    assert real_group.committed() == {}


def test_a_topic_that_does_not_exist_is_named_with_the_command_that_creates_it(
    real_group: Group, delivery: dict[str, Any]
) -> None:
    real_group.dead_letters = f"{real_group.dead_letters}-missing"
    real_group.fill(1)
    member = real_group.join(
        {"topic.metadata.propagation.max.ms": 500},
        delivery=delivery | {"timeout_seconds": 8, "transaction_timeout_seconds": 3},
        judge=reject_all,
    )
    with pytest.raises(Fatal, match=rf"{real_group.dead_letters}.*sluice topics"):
        member.consume(PARTITIONS)
    member.close()
    assert real_group.committed() == {}
