"""What takes the place of a record that its topic refuses, and where that ends."""

from typing import Any

import pytest

from testkit.records import ASSIGNMENT, record
from worker.errors import Fatal
from worker.events.refused_record import Form, Refusal
from worker.types import Classification, Labelled, Outcome, Outgoing, Rejected, Stage, TextFacts

TEXT = "nobody may read this in a log"


def labelled() -> Labelled:
    return Labelled(record(TEXT.encode()), ASSIGNMENT, "c", TEXT, Classification({}, (), TextFacts(1, 1, False)))


def encode(outcome: Outcome) -> Outgoing:
    topic = "letters" if isinstance(outcome, Rejected) else "events"
    return Outgoing(topic, None, outcome.record.value(), [], 5)


@pytest.mark.parametrize("refusal", Refusal)
def test_an_event_becomes_a_dead_letter_that_says_why_and_quotes_nothing(refusal: Refusal) -> None:
    form = Form(labelled())
    instead = form.after(refusal, encode(form.outcome))
    rejected: Any = instead.outcome
    assert (rejected.stage, rejected.error, instead.now) == (Stage.PRODUCE, refusal.value, False)
    assert "events" in rejected.reason
    assert TEXT not in rejected.reason


def test_a_letter_refused_for_its_timestamp_goes_once_more_with_the_time_of_now() -> None:
    letter = Form(labelled()).after(Refusal.TOO_LARGE, encode(labelled()))
    again = letter.after(Refusal.INVALID_TIMESTAMP, encode(letter.outcome))
    assert again.outcome is letter.outcome
    encoded = again.encoded(encode)
    assert encoded is not None
    assert (encoded.timestamp_ms, encoded.headers) == (0, [("dlq.original_timestamp", b"5")])
    with pytest.raises(Fatal, match="clock"):
        again.after(Refusal.INVALID_TIMESTAMP, encoded)


@pytest.mark.parametrize("refusal", [r for r in Refusal if r is not Refusal.INVALID_TIMESTAMP])
def test_for_a_letter_refused_otherwise_nothing_takes_its_place(refusal: Refusal) -> None:
    letter = Form(labelled()).after(refusal, encode(labelled()))
    with pytest.raises(Fatal, match=r"dead letter of comments/3/4711 .* is refused by letters") as raised:
        letter.after(refusal, encode(letter.outcome))
    assert TEXT not in str(raised.value)
