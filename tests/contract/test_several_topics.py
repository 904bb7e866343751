"""A worker may read several topics, by name or by pattern: each has its own positions, and none is read as another."""

import json
from collections import Counter
from typing import Any

import pytest

from testkit.member import Member, produce
from testkit.topic_reader import committed_offsets
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.findings import Severity
from worker.kafka.preflight import Preflight

EACH = 5


def also(group: Group, suffix: str, count: int = EACH) -> str:
    """Another input topic with so many records in each partition."""
    topic = group.backend.create_topic(f"{group.input}.{suffix}")
    fill(group, topic, count)
    return topic


def fill(group: Group, topic: str, count: int = EACH) -> None:
    values = ({"value": b"%d" % n, "partition": p} for n in range(count) for p in range(PARTITIONS))
    produce(group.backend.bootstrap_servers, topic, values)


def committed(group: Group, topic: str) -> dict[int, int]:
    return committed_offsets(group.backend.bootstrap_servers, group.name, topic)


def polled(member: Member) -> Counter[Any]:
    return Counter(record.topic() for record, _ in member.polled)


def test_every_record_of_every_topic_is_labelled_and_committed_in_its_own_topic(group: Group) -> None:
    group.fill(EACH)
    other = also(group, "other", 2 * EACH)
    member = group.join(input={"topic": f"{group.input},{other}"})
    member.step_until(lambda: len(member.polled) == 3 * EACH * PARTITIONS)
    assert all(assignment.topic == record.topic() for record, assignment in member.polled)
    each = {group.input: EACH * PARTITIONS, other: 2 * EACH * PARTITIONS}
    assert polled(member) == each
    member.publish()
    member.settle()
    member.close()
    assert committed(group, group.input) == dict.fromkeys(range(PARTITIONS), EACH)
    assert committed(group, other) == dict.fromkeys(range(PARTITIONS), 2 * EACH)
    assert Counter(place.partition("/")[0] for place in group.published()) == each


def test_members_share_the_partitions_of_all_topics(group: Group) -> None:
    topics = f"{group.input},{also(group, 'other', 0)}"
    first = group.join(input={"topic": topics})
    first.step_until(lambda: len(first.source.assigned) == 2 * PARTITIONS)
    second = group.join(input={"topic": topics})

    def shared() -> bool:
        first.step()
        return {len(first.source.assigned), len(second.source.assigned)} == {PARTITIONS}

    second.step_until(shared)
    held = [assignment.key for member in (first, second) for assignment in member.source.assigned]
    assert len(set(held)) == 2 * PARTITIONS


@pytest.mark.kafka
def test_lag_is_known_for_each_topic(real_group: Group) -> None:
    real_group.fill(EACH)
    other = also(real_group, "other")
    member = real_group.join(input={"topic": f"{real_group.input},{other}"})
    everything = {(topic, number) for topic in (real_group.input, other) for number in range(PARTITIONS)}
    member.step_until(lambda: member.source.facts().lag_records.keys() == everything)


@pytest.mark.kafka
@pytest.mark.parametrize("start", ["earliest", "latest"])
def test_a_topic_that_begins_to_match_is_read_from_its_first_record_within_seconds(
    real_group: Group, start: str
) -> None:
    member = real_group.join(input={"topic": rf"^{real_group.input}\.", "start": start})
    first = also(real_group, "one", 0)
    member.step_until(lambda: {assignment.topic for assignment in member.source.assigned} == {first})
    member.step_until(lambda: committed(real_group, first) == dict.fromkeys(range(PARTITIONS), 0))
    second = also(real_group, "two")
    member.step_until(lambda: polled(member)[second] == EACH * PARTITIONS)
    assert real_group.input not in polled(member)


@pytest.mark.kafka
def test_one_of_two_topics_created_again_is_read_from_its_beginning_and_the_other_is_left_alone(
    real_group: Group,
) -> None:
    real_group.fill(EACH)
    other = also(real_group, "other")
    member = real_group.join(input={"topic": f"{real_group.input},{other}"})
    member.step_until(lambda: len(member.polled) == 2 * EACH * PARTITIONS)
    member.publish()
    member.settle()
    cluster = real_group.backend.real
    assert cluster is not None
    cluster.delete_topic(other)
    cluster.create_topic(other, PARTITIONS)
    fill(real_group, other, 2)
    member.step_until(lambda: polled(member)[other] == 2 * PARTITIONS)
    assert real_group.input not in polled(member)
    assert member.source.facts().positions_moved["recreated"] == PARTITIONS


@pytest.mark.kafka
def test_a_topic_that_is_missing_is_named_while_the_other_is_read(real_group: Group) -> None:
    real_group.fill(EACH)
    absent = f"{real_group.input}.absent"
    member = real_group.join(input={"topic": f"{real_group.input},{absent}"})
    member.step_until(lambda: len(member.polled) == EACH * PARTITIONS)
    member.step_until(lambda: member.source.facts().topics_missing == (absent,))
    fill(real_group, real_group.backend.create_topic(absent))
    member.step_until(lambda: polled(member)[absent] == EACH * PARTITIONS)
    assert member.source.facts().topics_missing == ()


@pytest.mark.kafka
def test_the_preflight_looks_at_each_topic(real_group: Group) -> None:
    other = also(real_group, "other", 0)
    for topic in (f"{real_group.input},{other}", f"^{real_group.input}"):
        findings = Preflight(real_group.settings(input={"topic": topic})).look()
        texts = json.dumps([finding.text for finding in findings if finding.severity is Severity.OK])
        assert f"topic {real_group.input} is there" in texts
        assert f"topic {other} is there" in texts
