"""State of a partition ends with its assignment."""

from hypothesis import given
from hypothesis import strategies as st

from worker.kafka.consumer.assignments import Assignments
from worker.types import Assignment


def test_the_same_partition_assigned_again_is_another_assignment_that_knows_nothing() -> None:
    assignments = Assignments("t")
    (old,) = assignments.begin([3])
    assignments.stage({old: 10})
    assignments.end([3])
    (new,) = assignments.begin([3])
    assert (old.owned, new.owned) == (False, True)
    assert new.epoch > old.epoch
    assert assignments.uncommitted() == {}


def test_an_assignment_that_was_never_revoked_ends_when_the_next_begins() -> None:
    assignments = Assignments("t")
    (old,) = assignments.begin([0])
    (new,) = assignments.begin([0])
    assert not old.owned
    assert assignments.current == {0: new}


def test_offsets_of_an_ended_assignment_are_neither_staged_nor_confirmed() -> None:
    assignments = Assignments("t")
    (old,) = assignments.begin([0])
    assignments.end([0])
    (new,) = assignments.begin([0])
    assignments.stage({old: 10, new: 4})
    assignments.confirm({old: 10})
    assert assignments.uncommitted() == {new: 4}


@given(st.lists(st.tuples(st.sampled_from(["stage", "confirm"]), st.integers(0, 20))))
def test_what_is_to_be_committed_never_moves_back(calls: list[tuple[str, int]]) -> None:
    assignments = Assignments("t")
    (one,) = assignments.begin([0])
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
    begun = assignments.begin([0, 1])
    assert assignments.of([1, 2]) == [begun[1]]
    assert assignments.end([1, 2]) == [begun[1]]
    assert isinstance(begun[0], Assignment)
