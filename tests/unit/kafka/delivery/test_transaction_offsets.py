"""Which offsets a transaction moves, under whose name, and how its end is found."""

import struct
from collections.abc import Sequence
from typing import Any

import pytest

from worker.errors import Retryable
from worker.kafka.delivery.transaction_offsets import TransactionOffsets
from worker.kafka.delivery.transactional_producer import TransactionFailed
from worker.types import Assignment, Batch


class Group:
    """A source whose generation and committed offsets the test sets; the producer of the transaction, too."""

    def __init__(self) -> None:
        self.generation = 1
        self.positions: dict[Assignment, int] = {}
        self.sent: list[tuple[dict[int, int], bytes]] = []

    def group_metadata(self) -> bytes:
        return b"CGMDv2:" + struct.pack("=i", self.generation)

    def committed(self, assignments: Sequence[Assignment], _: float) -> dict[Assignment, int]:
        return {a: self.positions[a] for a in assignments if a in self.positions}

    def send_offsets(self, offsets: list[Any], metadata: bytes) -> None:
        self.sent.append(({p.partition: p.offset for p in offsets}, metadata))


@pytest.fixture
def group() -> Any:
    return Group()


def assignments() -> tuple[Assignment, Assignment]:
    return Assignment("t", 0, epoch=1), Assignment("t", 1, epoch=2)


def test_the_newest_offset_of_each_owned_partition_is_sent(group: Any) -> None:
    kept, lost = assignments()
    lost.owned = False
    TransactionOffsets(group, [Batch([], {kept: 5, lost: 7}), Batch([], {kept: 9})]).send(group)
    assert [offsets for offsets, _ in group.sent] == [{0: 9}]


def test_with_nothing_owned_there_is_nothing_to_commit(group: Any) -> None:
    lost, _ = assignments()
    lost.owned = False
    assert not TransactionOffsets(group, [Batch([], {lost: 7})])


def test_a_call_made_again_has_the_same_arguments_whatever_the_group_did_meanwhile(group: Any) -> None:
    kept, _ = assignments()
    offsets = TransactionOffsets(group, [Batch([], {kept: 5})])
    offsets.send(group)
    group.generation = 2
    offsets.send(group)
    assert group.sent[0] == group.sent[1]


def test_a_partition_lost_meanwhile_fails_the_whole_transaction(group: Any) -> None:
    kept, lost = assignments()
    offsets = TransactionOffsets(group, [Batch([], {kept: 5, lost: 7})])
    lost.owned = False
    with pytest.raises(TransactionFailed):
        offsets.send(group)
    assert group.sent == []


def test_a_worker_outside_its_group_sends_nothing_yet(group: Any) -> None:
    kept, _ = assignments()
    group.generation = -1
    with pytest.raises(Retryable):
        TransactionOffsets(group, [Batch([], {kept: 5})]).send(group)
    assert group.sent == []


@pytest.mark.parametrize(("position", "were"), [(None, False), (4, False), (5, True), (6, True)])
def test_what_the_group_has_committed_tells_how_a_transaction_ended(
    group: Any, position: int | None, were: bool
) -> None:
    kept, lost = assignments()
    offsets = TransactionOffsets(group, [Batch([], {lost: 7, kept: 5})])
    lost.owned = False
    if position is not None:
        group.positions[kept] = position
    assert offsets.were_committed() is were
