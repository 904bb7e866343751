"""A deletion that is forwarded becomes a record without a value under the same key, with its trace."""

from testkit.records import ASSIGNMENT, record
from worker.events.decoding import Decoder
from worker.events.tombstone import TombstoneEncoder
from worker.settings import Envelope, InputSettings
from worker.types import Skipped

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_forwarded_deletion_has_the_key_of_its_comment_and_no_value() -> None:
    deletion = record(None, headers=[("traceparent", TRACE), ("x", b"y")])
    outgoing = TombstoneEncoder("comment-labels").encode(Skipped(deletion, ASSIGNMENT, forwarded=True))
    assert outgoing is not None
    assert (outgoing.topic, outgoing.key, outgoing.value) == ("comment-labels", deletion.key(), None)
    assert outgoing.headers == [("traceparent", TRACE)]


def test_what_is_passed_over_publishes_nothing() -> None:
    encode = TombstoneEncoder("comment-labels").encode
    assert encode(Skipped(record(None), ASSIGNMENT)) is None
    assert encode(Skipped(record(b"{}"), ASSIGNMENT, filtered=True)) is None


DELETED = b'{"before":{"id":"c-1"},"after":null,"op":"d"}'


def forwarded(settings: InputSettings, value: bytes | None, key: bytes | None = b"k") -> bool:
    skipped = Decoder(settings, lambda: True).decode(record(value, key=key), ASSIGNMENT)
    assert isinstance(skipped, Skipped)
    return skipped.forwarded


def test_deletions_of_every_kind_are_forwarded() -> None:
    assert forwarded(InputSettings(), None)
    assert forwarded(InputSettings(envelope=Envelope.DEBEZIUM), DELETED)


def test_a_deletion_without_a_key_deletes_nothing_and_a_filtered_record_is_no_deletion() -> None:
    assert not forwarded(InputSettings(), None, key=None)
    assert not forwarded(
        InputSettings(where=[{"pointer": "/kind", "equals": "comment"}]), b'{"id":"c","text":"t","kind":"like"}'
    )


def test_by_default_a_decoder_forwards_nothing() -> None:
    assert Decoder(InputSettings()).decode(record(None), ASSIGNMENT).forwarded is False  # type: ignore[union-attr] # a deletion is skipped
