"""What `worker.protocols.Source` promises, on every broker and with both group protocols."""

import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from confluent_kafka import KafkaError

from testkit.fatal import make_fatal
from testkit.member import PATIENCE_SECONDS, Member, produce
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.errors import Fatal
from worker.settings import Settings

ALL = set(range(PARTITIONS))


def test_records_come_in_order_with_every_byte_untouched(group: Group) -> None:
    headers = [("traceparent", b"00-ab"), ("traceparent", b"dup"), ("none", None), ("raw", b"\xff\x00")]
    sent: list[dict[str, Any]] = [
        {"key": None, "value": b"\xff\xfe", "headers": headers, "timestamp": 1_700_000_000_123},
        {"key": b"", "value": b"", "timestamp": 1_700_000_000_124},
        {"key": b"\x00k", "value": None, "timestamp": 1_700_000_000_125},
    ]
    produce(group.backend.bootstrap_servers, group.input, ({**record, "partition": 2} for record in sent))
    member = group.join()
    member.step_until(lambda: len(member.polled) == 3)
    found = [record for record, _ in member.polled]
    assert [r.offset() for r in found] == [0, 1, 2]
    assert [r.key() for r in found] == [None, b"", b"\x00k"]
    assert [r.value() for r in found] == [b"\xff\xfe", b"", None]
    assert [r.timestamp()[1] for r in found] == [1_700_000_000_123, 1_700_000_000_124, 1_700_000_000_125]
    assert found[0].headers() == headers
    assert {(a.topic, a.partition, a.owned) for _, a in member.polled} == {(group.input, 2, True)}


def test_poll_gives_what_has_arrived_without_waiting_for_the_limit(group: Group) -> None:
    group.fill(1)
    member = group.join()
    # Were it to wait for 100 records, it would run into the time limit of the test.
    polled: list[Any] = []
    while not polled:  # until the partitions have a place to be read from, a poll comes back early
        polled = member.step(limit=100, timeout_seconds=3600)
    assert len(polled) <= PARTITIONS


def test_poll_never_gives_more_than_its_limit(group: Group) -> None:
    group.fill(25)
    member = group.join()
    sizes: list[int] = []
    while sum(sizes) < 25 * PARTITIONS:
        sizes.append(len(member.step(limit=7)))
        assert sizes[-1] <= 7
    offsets: dict[int, list[int | None]] = {}
    for record, assignment in member.polled:
        offsets.setdefault(assignment.partition, []).append(record.offset())
    assert offsets == {p: list(range(25)) for p in ALL}


def test_a_restart_reads_on_from_the_committed_offset(group: Group) -> None:
    group.fill(10)
    first = group.join()
    first.consume(10 * PARTITIONS)
    first.close()
    assert group.committed() == dict.fromkeys(ALL, 10)
    group.fill(5)
    second = group.join()
    second.step_until(lambda: len(second.polled) >= 5 * PARTITIONS)
    assert {record.offset() for record, _ in second.polled} == {10, 11, 12, 13, 14}
    assert len(second.polled) == 5 * PARTITIONS


def test_what_was_polled_and_not_committed_is_read_again(group: Group) -> None:
    group.fill(10)
    first = group.join()
    first.step_until(lambda: len(first.polled) == 10 * PARTITIONS)
    first.close()
    assert group.committed() == {}
    second = group.join()
    second.step_until(lambda: len(second.polled) == 10 * PARTITIONS)


def test_a_commit_without_waiting_is_made_by_later_polls(group: Group) -> None:
    group.fill(10)
    member = group.join()
    member.step_until(lambda: len(member.polled) == 10 * PARTITIONS)
    for offset in (3, 5, 8):
        member.source.commit(dict.fromkeys(member.source.assigned, offset))
    member.step_until(lambda: group.committed() == dict.fromkeys(ALL, 8))


def test_a_commit_never_moves_back_within_an_assignment(group: Group) -> None:
    group.fill(10)
    member = group.join()
    member.step_until(lambda: member.partitions == ALL)
    member.source.commit(dict.fromkeys(member.source.assigned, 8))
    member.source.flush_commits(30)
    member.source.commit(dict.fromkeys(member.source.assigned, 3))
    member.source.flush_commits(30)
    assert group.committed() == dict.fromkeys(ALL, 8)


def test_a_joiner_takes_its_share_and_what_stays_keeps_its_assignment(group: Group) -> None:
    group.fill(10)
    first = group.join()
    first.step_until(lambda: len(first.polled) == 10 * PARTITIONS)
    before = {a.partition: a for a in first.source.assigned}
    second = group.join()
    first.step_until(lambda: first.partitions | second.partitions == ALL and len(second.partitions) == 2, second)
    assert first.partitions.isdisjoint(second.partitions)
    for assignment in first.source.assigned:
        assert before[assignment.partition] is assignment
    assert {a.partition for a in before.values() if not a.owned} == second.partitions


def test_a_revoke_commits_what_is_in_flight_before_the_next_owner_reads(group: Group) -> None:
    group.fill(50)
    first = group.join()
    first.step_until(lambda: len(first.polled) == 50 * PARTITIONS)  # nothing is published: it happens in the revoke
    second = group.join()
    first.step_until(lambda: len(first.partitions) == len(second.partitions) == 2, second)
    first.publish()
    first.settle()
    second.step_until(lambda: second.source.facts().join_state == "steady", first)
    second.publish()
    second.settle()
    published = sorted(group.published())
    assert sorted(set(published)) == group.everything(50)  # none lost
    assert published == group.everything(50) or not group.backend.commits_in_a_revoke  # none doubled
    assert group.committed() == dict.fromkeys(ALL, 50)


def test_a_late_commit_of_a_partition_given_away_changes_nothing(group: Group) -> None:
    group.fill(10)
    first = group.join()
    first.step_until(lambda: len(first.polled) == 10 * PARTITIONS)
    first.polled.clear()
    stale = first.source.assigned
    second = group.join()
    first.step_until(lambda: len(first.partitions) == len(second.partitions) == 2, second)
    first.source.commit(dict.fromkeys(stale, 7))
    first.source.flush_commits(30)
    assert group.committed() == dict.fromkeys(first.partitions, 7)


def test_a_partition_that_comes_back_has_a_new_assignment(group: Group) -> None:
    group.fill(10)
    first = group.join()
    first.step_until(lambda: len(first.polled) == 10 * PARTITIONS)
    before = {a.partition: a for a in first.source.assigned}
    second = group.join()
    first.step_until(lambda: len(second.partitions) == 2, second)
    moved = set(second.partitions)
    second.close()
    first.step_until(lambda: first.partitions == ALL)
    after = {a.partition: a for a in first.source.assigned}
    assert {p for p in ALL if after[p] is not before[p]} == moved
    assert all(after[p].epoch > before[p].epoch and not before[p].owned for p in moved)


def test_a_closed_member_leaves_at_once_and_may_be_closed_again(group: Group) -> None:
    first, second = group.join(), group.join()
    first.step_until(lambda: len(first.partitions) == len(second.partitions) == 2, second)
    first.source.close()
    first.source.close()
    second.step_until(lambda: second.partitions == ALL)


def test_exceeding_max_poll_is_lost_and_its_late_commit_changes_nothing(group: Group) -> None:
    interval = {"max.poll.interval.ms": 6000}
    if group.backend.protocol == "classic":
        interval["session.timeout.ms"] = 6000
    group.fill(10)
    member = group.join(interval, delivery={"revoke_seconds": 1.0})
    member.step_until(lambda: len(member.polled) == 10 * PARTITIONS)
    stale = member.source.assigned
    threading.Event().wait(8)  # the limit is what is under test: there is nothing to wait for but it
    member.polled.clear()
    member.step_until(lambda: ("lost", sorted(ALL)) in [(e, sorted(p)) for e, p in member.events])
    assert not any(a.owned for a in stale)
    member.source.commit(dict.fromkeys(stale, 10))
    member.source.flush_commits(30)
    assert group.committed() == {}
    member.step_until(lambda: len(member.polled) == 10 * PARTITIONS)  # from the committed offset, so all of them
    assert member.source.rebalances["lost"] == 1


def test_a_pause_holds_for_partitions_assigned_later_until_it_is_resumed(group: Group) -> None:
    first, second = group.join(), group.join()
    first.step_until(lambda: len(first.partitions) == len(second.partitions) == 2, second)
    first.source.pause()
    second.close()
    first.step_until(lambda: first.partitions == ALL)
    group.fill(5)
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        assert first.step() == []
    first.source.resume()
    first.step_until(lambda: len(first.polled) == 5 * PARTITIONS)


def test_a_partition_that_was_paused_and_given_away_is_read_when_it_comes_back_after_the_resume(group: Group) -> None:
    first = group.join()
    first.step_until(lambda: first.partitions == ALL)
    first.source.pause()
    second = group.join()
    first.step_until(lambda: len(first.partitions) == len(second.partitions) == 2, second)
    first.source.resume()
    second.close()
    first.step_until(lambda: first.partitions == ALL)
    group.fill(5)
    first.step_until(lambda: len(first.polled) == 5 * PARTITIONS)


def test_a_source_without_an_offset_stops_when_told_not_to_guess(group: Group) -> None:
    group.fill(1)
    member = group.join(input={"start": "error"})

    def poll_on() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            member.step()

    with pytest.raises(Fatal, match=r"input\.start"):
        poll_on()


def test_a_consumer_broken_for_good_says_so_instead_of_reading_no_more(group: Group) -> None:
    # In a process of its own: librdkafka never comes back from the close of such a consumer, and spins until its end.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        said = process.submit(_what_a_broken_consumer_says, group.settings()).result(PATIENCE_SECONDS)
    assert said.startswith("the consumer can't continue")


def _what_a_broken_consumer_says(settings: Settings) -> str:
    member = Member(settings)
    member.step_until(lambda: member.partitions == ALL)
    make_fatal(member.source._consumer, KafkaError.FENCED_INSTANCE_ID)
    with pytest.raises(Fatal) as raised:
        member.step_until(lambda: False)
    member.close()
    return str(raised.value)


def test_lag_and_join_state_are_known(group: Group) -> None:
    group.fill(10)
    member = group.join()
    member.consume(10 * PARTITIONS)
    group.fill(3)
    member.source.pause()

    def settled() -> bool:
        facts = member.source.facts()
        return facts.join_state == "steady" and {number for _, number in facts.lag_records} == ALL

    member.step_until(settled)
    assert member.source.facts().broker_answers
