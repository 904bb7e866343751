"""Whatever stands in the output topic, the page stays up, says what it is, and sends no more than was asked for."""

import json
from typing import Any

import pytest

from testkit.hostile import hostile_records
from testkit.label_events import event_record, label_event
from tests.unit.page.conftest import FedPage
from worker.page.answers import dumped
from worker.page.bytes_shown import shown
from worker.page.event_reading import MOST_TEXT
from worker.page.tail import Read

SCRIPT = '<script>alert(1)</script><img src=x onerror="alert(2)">'
SPAN = {"begin": 0, "end": 1, "utf16_begin": 0, "utf16_end": 1}
BIDI = "safe \N{RIGHT-TO-LEFT OVERRIDE}evil\N{POP DIRECTIONAL FORMATTING}"


def events(page: FedPage, query: str = "") -> list[dict[str, Any]]:
    answer = page.client().get(f"/api/events?{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"\x00\x01\x02", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not a label event of this schema"),
        (b'{"hello": "<script>"}', "schema_version is missing"),
        (json.dumps(label_event() | {"schema_version": "9.0"}).encode(), "schema_version"),
        (json.dumps(label_event() | {"scores": {"toxic": 2}, "labels": []}).encode(), "outside [0, 1]"),
        (json.dumps(label_event() | {"scores": {"toxic": float("nan")}, "labels": []}).encode(), "outside [0, 1]"),
        (json.dumps(label_event() | {"labels": ["<b>"]}).encode(), "no score"),
        (json.dumps(label_event() | {"scores": {f"l{n}": 0.5 for n in range(100)}}).encode(), "more than"),
        (json.dumps(label_event() | {"scores": {"x" * 10_000: 0.5}, "labels": []}).encode(), "longer than"),
        (json.dumps(label_event()).encode().replace(b'"a text"', b'"\\ud800"'), "not JSON"),
        (b'{"a":' * 5000, "not JSON"),
    ],
)
def test_a_record_that_is_no_label_event_is_shown_as_such(page: FedPage, value: bytes, problem: str) -> None:
    page.feed(value)
    (found,) = events(page)
    assert problem in found["problem"]
    assert found["key"] == "comment-labels/0/0"
    assert "script" not in json.dumps(found)
    page.client().get("/api/now").json()
    page.client().get("/api/scores").json()


def test_a_deletion_is_no_event(page: FedPage) -> None:
    page.feed(None)
    assert events(page) == []


@pytest.mark.parametrize("text", [SCRIPT, BIDI, "a" * 1_000_000, "\N{PILE OF POO}" * 400_000, "=1+1", "a\x00b"])
def test_texts_are_sent_only_when_asked_for_and_only_their_beginning(page: FedPage, text: str, now_ms: float) -> None:
    page.feed(label_event(text=text, at_ms=now_ms))
    (found,) = events(page)
    assert found["has_text"] is True
    assert "text" not in found
    (found,) = events(page, "text=1")
    assert found["text"] == text[:MOST_TEXT]
    assert page.client().get("/api/events?text=1").headers["content-type"] == "application/json"


@pytest.mark.parametrize("text", [None, "sha256:" + "0" * 64])
def test_a_text_that_was_hashed_or_left_out_is_never_there(page: FedPage, text: str | None) -> None:
    page.feed(label_event(text=text))
    (found,) = events(page, "text=1")
    assert found["has_text"] is False
    assert "text" not in found


def test_answers_are_ascii_so_that_no_surrogate_stops_them(page: FedPage) -> None:
    page.feed(label_event(text=f"{BIDI} \N{PILE OF POO}"))
    assert page.client().get("/api/events?text=1").content.isascii()


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", " =", "\N{FULLWIDTH EQUALS SIGN}", "\N{NO-BREAK SPACE}="])
def test_a_spreadsheet_runs_no_cell(page: FedPage, sign: str) -> None:
    page.feed(label_event(comment_id=f"{sign}cmd|' /C calc'!A0", text=f"{sign}1"))
    body = page.client().get("/api/events.csv?text=1").text
    assert f"'{sign}cmd" in body
    assert f",{sign}" not in body
    assert "text" not in json.dumps(page.client().get("/api/events.csv").text.splitlines()[1])


def test_a_cell_that_begins_with_a_line_feed_is_no_formula(page: FedPage) -> None:
    page.feed(label_event(text="\n=1+1"))
    assert '"\'\n=1+1"' in page.client().get("/api/events.csv?text=1").text


def test_an_event_from_before_the_epoch_is_of_its_beginning(page: FedPage) -> None:
    page.feed(label_event() | {"processed_at": "1900-01-01T00:00:00Z"})
    assert events(page)[0]["at"].startswith("1970-01-01T00:00:00")
    assert page.client().get("/api/events?limit=1").status_code == 200


def test_an_event_from_the_future_does_not_stay_on_top(page: FedPage, now_ms: float) -> None:
    page.feed(label_event("future", at_ms=now_ms + 10**10))
    page.feed(label_event("now", at_ms=now_ms + 50_000))
    assert [event["comment_id"] for event in events(page)] == ["now", "future"]


def numbers_of_nobody() -> list[bytes]:
    """Label events of this schema with numbers that no worker writes and JSON can hold."""
    event = label_event()
    thresholds, text, source = event["thresholds"], event["text"], event["source"]
    huge = 10**400
    return [
        json.dumps(event | changed).encode()
        for changed in (
            {"text": text | {"tokens": huge}},
            {"source": source | {"offset": huge}},
            {"source": source | {"partition": huge}},
            *(
                {"thresholds": thresholds | {tier: {"toxic": value}}}
                for tier in ("values", "act")
                for value in (float("nan"), float("inf"), -float("inf"))
            ),
            *(
                {"reasons": {"method": "token-head@1", "labels": {"toxic": {"spans": [SPAN | {"share": share}]}}}}
                for share in (float("nan"), float("inf"))
            ),
            {"processed_at": "0001-01-01T00:00:00+14:00"},
        )
    ]


def test_hostile_records_never_stop_a_page(page: FedPage) -> None:
    page.feed(*numbers_of_nobody())
    for value in numbers_of_nobody():
        for with_text in (False, True):
            dumped(page.parts.detail.of(event_record(value), with_text=with_text))
    records = list(hostile_records(1, 300))
    page.parts.output.take(Read(records, 0))
    page.feed_letters(*records)
    client = page.client()
    for path in (
        "events?text=1&limit=500",
        "events.csv?text=1",
        "scores",
        "now",
        "page",
        "health",
        "dead-letters?text=1",
    ):
        assert client.get(f"/api/{path}").status_code == 200, path


@pytest.mark.parametrize("value", numbers_of_nobody()[:-1])
def test_an_event_with_such_a_number_alone_stops_no_page(page: FedPage, value: bytes) -> None:
    page.feed(value)
    for path in ("now", "scores", "events"):
        assert page.client().get(f"/api/{path}").status_code == 200, path
    assert "label event" in events(page)[0]["problem"]


COMMENTS: list[Any] = [
    {"text": SCRIPT, "html": BIDI * 20, "n": 10**400, "deep": [[[[[{}]]]]]},
    {"text": "words", "again": "words " * 50, "<script>": "x"},
    {"text": 7},
    {},
]


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("with_text", [False, True])
def test_one_event_is_shown_whole_whatever_its_comment_holds(page: FedPage, comment: Any, with_text: bool) -> None:
    value = (
        json.dumps(label_event() | {"comment": comment}).encode().replace(b'"n": 1', b'"f": 1e999, "g": -1e999, "n": 1')
    )
    answer = dumped(page.parts.detail.of(event_record(value), with_text=with_text))
    assert answer.isascii()
    assert json.loads(answer)["event"]["labels"] == []
    if not with_text:
        assert "script>alert" not in answer
        assert "words words" not in answer
        assert "202e" not in answer


def test_any_record_can_be_looked_at(page: FedPage) -> None:
    for record in hostile_records(2, 300):
        for with_text in (False, True):
            dumped(page.parts.detail.of(record, with_text=with_text))


def test_bytes_are_shown_without_what_hides_or_turns() -> None:
    assert shown(b"\xff\x00ok") == "\\xff\\u0000ok"
    assert shown(BIDI.encode()) == "safe \\u202eevil\\u202c"
    assert len(shown(b"a" * 10_000)) == 300
    assert shown(None) == ""
