"""Whatever the order in which batches are scored, each partition gets them in the order in which they were taken."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from worker.stream.partition_order import PartitionOrder
from worker.types import Assignment, Batch

PARTITIONS = [Assignment("comments", partition, 1) for partition in range(4)]


@given(
    st.lists(st.sets(st.sampled_from(PARTITIONS)), max_size=8).flatmap(
        lambda taken: st.tuples(st.just(taken), st.permutations(range(len(taken))))
    )
)
def test_each_partition_keeps_its_order_and_nothing_waits_longer_than_for_that(
    case: tuple[list[set[Assignment]], list[int]],
) -> None:
    taken, scored_in = case
    order = PartitionOrder()
    numbers = [order.taken(assignments) for assignments in taken]
    seen: dict[Assignment, list[int]] = defaultdict(list)
    released: set[int] = set()
    scored: set[int] = set()
    for index in scored_in:
        scored.add(index)
        for batch in order.scored(Batch([], {}, number=numbers[index])):
            place = numbers.index(batch.number)
            released.add(place)
            for assignment in taken[place]:
                seen[assignment].append(place)
        for place in scored - released:
            assert any(taken[place] & taken[before] for before in range(place) if before not in released)
    assert released == set(range(len(taken)))
    assert all(places == sorted(places) for places in seen.values())
