"""The rules by which partitions begin, and that the documentation shows them as they are."""

import re
from pathlib import Path

import pytest

from worker.kafka.client.commit_note import CommitNote
from worker.kafka.client.log_queries import LogEnds
from worker.kafka.consumer.start_rules import (
    RULES,
    Begin,
    Found,
    began_with,
    out_of_range,
    where_to_begin,
    without_offset,
)
from worker.settings import Start

PAGE = Path(__file__).parents[4] / "docs/explanation/positions.md"
ENDS = LogEnds(20, 30)


@pytest.mark.parametrize(
    ("found", "start", "expected"),
    [
        (Found.NO_OFFSET, Start.EARLIEST, Begin(20, 0)),
        (Found.NO_OFFSET, Start.LATEST, Begin(30, 0)),
        (Found.NO_OFFSET, Start.ERROR, None),
        # What a log that began after the group lacks at its start was never read.
        (Found.NEW_PARTITION, Start.LATEST, Begin(20, 20)),
        (Found.NEW_PARTITION, Start.ERROR, Begin(20, 20)),
        (Found.NEW_TOPIC, Start.LATEST, Begin(20, 20)),
        (Found.BELOW_START, Start.LATEST, Begin(20, 15)),
        (Found.BELOW_START, Start.ERROR, None),
        (Found.ABOVE_END, Start.LATEST, Begin(20, 0)),
        (Found.ABOVE_END, Start.ERROR, None),
        (Found.TRUNCATED, Start.LATEST, Begin(20, 0)),
        (Found.TRUNCATED, Start.ERROR, None),
        (Found.RECREATED, Start.LATEST, Begin(20, 20)),
        (Found.RECREATED, Start.ERROR, Begin(20, 20)),
    ],
)
def test_each_case_has_its_place(found: Found, start: Start, expected: Begin | None) -> None:
    assert where_to_begin(found, start, 5, ENDS) == expected


@pytest.mark.parametrize(("cut", "begin"), [(25, 25), (3, 20), (None, 20)])
def test_a_truncated_log_is_read_from_the_first_record_that_differs(cut: int | None, begin: int) -> None:
    assert where_to_begin(Found.TRUNCATED, Start.LATEST, 28, ENDS, cut) == Begin(begin, 0)


@pytest.mark.parametrize(
    ("position", "found"),
    [(19, Found.BELOW_START), (20, None), (30, None), (31, Found.ABOVE_END)],
)
def test_a_position_is_out_of_range_beyond_either_end(position: int, found: Found | None) -> None:
    assert out_of_range(position, ENDS) is found


@pytest.mark.parametrize(
    ("partition", "group_has_offsets", "began_with", "found"),
    [
        (0, False, None, Found.NO_OFFSET),
        (3, True, 4, Found.NO_OFFSET),  # another member got its partitions first
        (4, True, 4, Found.NEW_PARTITION),
        (3, True, None, Found.NEW_PARTITION),  # nobody knows: nothing may be left out
        (0, True, 0, Found.NEW_PARTITION),
    ],
)
def test_a_partition_is_new_to_a_group_that_began_with_fewer(
    partition: int, group_has_offsets: bool, began_with: int | None, found: Found
) -> None:
    assert without_offset(partition, group_has_offsets=group_has_offsets, began_with=began_with) is found


@pytest.mark.parametrize(
    ("noted", "count"),
    [
        ([], None),
        ([None, None], None),
        ([4, None, 4], 4),
        ([6, 0, 0], 0),  # of a topic created again, by a worker that has just come and by those who knew the old log
    ],
)
def test_the_smallest_number_of_partitions_noted_is_what_the_group_began_with(
    noted: list[int | None], count: int | None
) -> None:
    assert began_with(noted) == count


def test_the_page_shows_the_rules_as_they_are() -> None:
    rows = re.findall(r"^\|[^|]+\| `(\w+)` \|([^|]+)\|([^|]+)\|([^|]+)\|", PAGE.read_text(), re.MULTILINE)
    shown = {name: tuple(cell.strip() for cell in cells) for name, *cells in rows}
    assert shown == {found.value: tuple(RULES[found][start].value for start in Start) for found in Found}


@pytest.mark.parametrize("note", [CommitNote("8tZ3x1ZvQ0qJm0wK1yQ9aA", 4), CommitNote("", 0), CommitNote()])
def test_a_commit_note_is_read_as_it_was_written(note: CommitNote) -> None:
    assert CommitNote.read(str(note)) == note


@pytest.mark.parametrize(
    "metadata", [None, "", "set by hand", "topic-id=short;partitions=many", "xtopic-id=" + "A" * 22]
)
def test_metadata_of_others_says_nothing(metadata: str | None) -> None:
    assert CommitNote.read(metadata) == CommitNote()
