"""A browser is told what is true at once, then what is new, and only what it asked for."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from testkit.label_events import label_event
from tests.unit.page.conftest import FedPage
from worker.page import live as live_module
from worker.page.api import Api
from worker.page.live import live, wanted_of
from worker.page.query import BadRequest


def messages(page: FedPage, count: int, *, between: Any = lambda _: None, **query: str) -> list[tuple[str, Any]]:
    """The first messages by name; `between` is called after each with their number."""

    async def take() -> list[tuple[str, Any]]:
        api = Api(page.parts)
        stream = live(api, page.parts, wanted_of(api, query))
        found = []
        async for message in stream:
            name, data = message.strip().split("\ndata: ")
            found.append((name.removeprefix("event: "), json.loads(data)))
            if len(found) == count:
                break
            between(len(found))
        return found

    return asyncio.run(take())


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "_TICK_SECONDS", 0)


def test_what_is_there_is_told_at_once_and_then_only_what_is_new(page: FedPage, now_ms: float) -> None:
    page.feed(*(label_event(f"c-{n}", at_ms=now_ms) for n in range(70)))

    def between(number: int) -> None:
        if number == 2:
            page.feed(label_event("c-new", at_ms=now_ms), passed_over=9)

    (now, _), (events, first), (again, second) = messages(page, 3, between=between)
    assert (now, events, again) == ("now", "events", "events")
    assert [event["comment_id"] for event in first["events"][:2]] == ["c-69", "c-68"]
    assert first["shown"] == 50
    assert [event["comment_id"] for event in second["events"]] == ["c-new"]
    assert (second["seen"], second["shown"]) == (10, 1)


def test_a_filter_and_texts_hold_for_the_stream_too(page: FedPage, now_ms: float) -> None:
    page.feed(label_event("c-1", "words", at_ms=now_ms), label_event("c-2", "others", at_ms=now_ms, toxic=0.9))
    (_, first) = messages(page, 2, label="toxic")[1]
    assert [event["comment_id"] for event in first["events"]] == ["c-2"]
    assert "text" not in first["events"][0]
    (_, first) = messages(page, 2, label="toxic", text="1")[1]
    assert first["events"][0]["text"] == "others"
    with pytest.raises(BadRequest):
        messages(page, 1, tier="none of them")


def test_a_view_without_a_list_gets_no_events(page: FedPage) -> None:
    page.feed(label_event())
    assert [name for name, _ in messages(page, 2, events="0")] == ["now", "now"]


def test_lines_from_before_are_told_first_and_each_once(page: FedPage) -> None:
    page.parts.lines.add("info", "from before")

    def between(number: int) -> None:
        if number == 2:
            page.parts.lines.add("warning", "something went wrong")

    found = messages(page, 5, events="0", between=between)
    assert [name for name, _ in found] == ["now", "line", "line", "now", "now"] or [name for name, _ in found] == [
        "now",
        "line",
        "now",
        "line",
        "now",
    ]
    lines = [line for name, line in found if name == "line"]
    assert [(line["number"], line["level"], line["text"]) for line in lines] == [
        (1, "info", "from before"),
        (2, "warning", "something went wrong"),
    ]


def test_a_tick_does_not_walk_through_what_is_kept(page: FedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    page.feed(label_event())
    monkeypatch.setattr(page.parts.sample, "counts", lambda: pytest.fail("it walks through every event kept"))
    assert [name for name, _ in messages(page, 3)] == ["now", "events", "events"]


def test_no_more_browsers_are_served_than_there_is_room_for(page: FedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.page.app.MOST_STREAMS", 0)
    answer = page.client().get("/api/live")
    assert answer.status_code == 503
    assert "close one" in answer.json()["error"]


def test_browsers_that_were_let_in_together_are_not_more_than_there_is_room_for(
    page: FedPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = iter([1, 0])  # room at the door, none at the first step
    monkeypatch.setattr("worker.page.app.MOST_STREAMS", Drawn(limits))
    answer = page.client().get("/api/live")
    assert (answer.status_code, answer.text) == (200, "")


class Drawn(int):
    """A limit that is another one each time."""

    def __new__(cls, limits: Iterator[int]) -> "Drawn":
        made = super().__new__(cls, 0)
        made.limits = limits
        return made

    limits: Iterator[int]

    def __le__(self, other: int) -> bool:
        return next(self.limits) <= other
