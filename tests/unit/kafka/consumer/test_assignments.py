"""State of a partition ends with its assignment."""

from hypothesis import given
from hypothesis import strategies as st

from worker.kafka.consumer.assignments import Assignments
from worker.types import Assignment


def test_the_same_partition_assigned_again_is_another_assignment_that_knows_nothing() -> None:
    assignments = Assignments("t")
    (old,) = assignments.begin([("t", 3)])
    assignments.stage({old: 10})
    assignments.end([("t", 3)])
    (new,) = assignments.begin([("t", 3)])
    assert (old.owned, new.owned) == (False, True)
    assert new.epoch > old.epoch
    assert assignments.uncommitted() == {}


def test_an_assignment_that_was_never_revoked_ends_when_the_next_begins() -> None:
    assignments = Assignments("t")
    (old,) = assignments.begin([("t", 0)])
    (new,) = assignments.begin([("t", 0)])
    assert not old.owned
    assert assignments.current == {("t", 0): new}


def test_offsets_of_an_ended_assignment_are_neither_staged_nor_confirmed() -> None:
    assignments = Assignments("t")
    (old,) = assignments.begin([("t", 0)])
    assignments.end([("t", 0)])
    (new,) = assignments.begin([("t", 0)])
    assignments.stage({old: 10, new: 4})
    assignments.confirm({old: 10})
    assert assignments.uncommitted() == {new: 4}


@given(st.lists(st.tuples(st.sampled_from(["stage", "confirm"]), st.integers(0, 20))))
def test_what_is_to_be_committed_never_moves_back(calls: list[tuple[str, int]]) -> None:
    assignments = Assignments("t")
    (one,) = assignments.begin([("t", 0)])
    staged = confirmed = -1
    for call, offset in calls:
        if call == "stage":
            assignments.stage({one: offset})
            staged = max(staged, offset)
        elif offset <= staged:
            assignments.confirm({one: offset})
            confirmed = max(confirmed, offset)
        assert assignments.uncommitted() == ({one: staged} if staged > confirmed else {})


def test_only_what_is_held_is_found() -> None:
    assignments = Assignments("t")
    begun = assignments.begin([("t", 0), ("t", 1)])
    assert assignments.of([("t", 1), ("t", 2)]) == [begun[1]]
    assert assignments.end([("t", 1), ("t", 2)]) == [begun[1]]
    assert isinstance(begun[0], Assignment)


def test_partitions_of_several_topics_are_kept_apart() -> None:
    assignments = Assignments()
    one, other = assignments.begin([("a", 0), ("b", 0)], {"b": "an-id"})
    assert (one.topic_id, other.topic_id) == ("", "an-id")
    assert assignments.end([("a", 0)]) == [one]
    assert assignments.current == {("b", 0): other}
    assert assignments.by_number is None
