"""Records that can't be decoded yet are kept in order, and dropped when their partition goes away."""

from testkit.records import record
from worker.errors import Retryable
from worker.stream.held_records import HeldRecords
from worker.types import Assignment, Comment, Decoded, Record


class Decoder:
    """Can't decode values that begin with `?` while `away`."""

    away = True

    def decode(self, record: Record, assignment: Assignment) -> Decoded:
        value = record.value() or b""
        if self.away and value.startswith(b"?"):
            message = "not yet"
            raise Retryable(message)
        return Comment(record, assignment, "id", value.decode())


def texts(decoded: list[Decoded]) -> list[str]:
    return [item.text for item in decoded if isinstance(item, Comment)]


def test_what_comes_behind_a_held_record_waits_behind_it() -> None:
    decoder, assignment = Decoder(), Assignment("comments", 0, 1)
    held = HeldRecords(decoder)
    assert texts(held.decode([(record(v), assignment) for v in (b"a", b"b", b"?c", b"d")])) == ["a", "b"]
    assert held
    assert held.decode([(record(b"e"), assignment)]) == []
    decoder.away = False
    assert texts(held.decode([(record(b"f"), assignment)])) == ["?c", "d", "e", "f"]
    assert not held


def test_held_records_of_a_partition_that_went_away_are_dropped() -> None:
    kept, lost = Assignment("comments", 0, 1), Assignment("comments", 1, 1)
    held = HeldRecords(Decoder())
    held.decode([(record(b"?a"), lost), (record(b"?b"), kept), (record(b"c"), kept)])
    lost.owned = False
    assert held.decode([]) == []
    held._decode = lambda record, assignment: Comment(record, assignment, "id", "x")
    assert len(held.decode([])) == 2
