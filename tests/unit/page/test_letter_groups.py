"""Groups of dead letters: what is kept is bounded, their times are times, and a mixed group is no kind to replay."""

from typing import Any

import pytest

from tests.unit.page.conftest import FedPage, MakePage
from tests.unit.page.test_answers import get, letter
from worker.page import letter_groups
from worker.page.replays import Replays
from worker.page.times import milliseconds_of

RECORD_TIME = "2026-11-22T12:00:00.042Z"


def test_the_letters_kept_are_bounded_in_all_and_each_group_keeps_its_newest(
    page: FedPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_groups, "MOST_IN_ALL", 60)
    monkeypatch.setattr(letter_groups, "MOST_LETTERS", 50)
    page.feed_letters(letter("VALIDATE", "TextMissing", 0))
    page.feed_letters(*(letter("DECODE", f"Error{n % 10}", n) for n in range(1, 1001)))
    groups = page.parts.letters.groups()
    assert sum(len(group.letters) for group in groups) == 60
    assert [one.offset for group in groups for one in group.letters if group.error == "TextMissing"] == [0]
    assert {group.letters[-1].offset for group in groups} == {0, *range(991, 1001)}
    assert sum(group.count for group in groups) == 1001


def test_one_group_keeps_its_newest_letters(page: FedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_groups, "MOST_LETTERS", 3)
    page.feed_letters(*(letter("DECODE", "InvalidJson", n) for n in range(10)))
    (group,) = page.parts.letters.groups()
    assert [one.offset for one in group.letters] == [7, 8, 9]


@pytest.mark.parametrize(
    "text", ["zzzz", "", "2026", "2026-13-01T00:00:00Z", "1900-01-01T00:00:00Z", "٢٠٢٦-11-26T12:00:00Z"]
)
def test_a_letter_whose_failure_has_no_time_has_that_of_its_record(page: FedPage, text: str) -> None:
    page.feed_letters(letter("DECODE", "InvalidJson", 1, text))
    (group,) = page.parts.letters.groups()
    assert (group.first, group.last) == (RECORD_TIME, RECORD_TIME)


def test_times_of_any_zone_are_compared_in_utc() -> None:
    assert milliseconds_of("2026-11-22T12:00:00.042Z") == 1_795_348_800_042
    assert milliseconds_of("2026-11-22T13:30:00.042+01:30") == 1_795_348_800_042


def test_a_group_of_several_kinds_says_that_it_can_not_be_replayed_as_one(make_page: MakePage) -> None:
    page = make_page(allow_replay=True)
    page.feed_letters(letter("DECODE", "E" * 201, 0), *(letter("DECODE", f"Error{n}", n) for n in range(1, 251)))
    groups = {group.error[:5]: group for group in page.parts.letters.groups()}
    assert not groups["Error"].is_mixed
    for group in (groups["EEEEE"], groups["of mo"]):
        answer = get(page, f"replay?group={group.id}")
        assert answer["can_replay"] is False
        assert "one by one" in answer["why_not"]
        assert answer["count"]["unknown"]
        begun = page.client().post("/api/replay", json={"group": group.id, "rate": 1, "limit": 1, "count": 1})
        assert (begun.status_code, "one by one" in begun.json()["error"]) == (403, True)


def test_a_read_only_page_does_not_read_a_topic_to_count(page: FedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> Any:
        pytest.fail("the topic was read")

    monkeypatch.setattr(Replays, "count_group", read)
    monkeypatch.setattr(Replays, "target_of", read)
    page.feed_letters(letter("DECODE", "InvalidJson", 1))
    (group,) = page.parts.letters.groups()
    for what in (f"group={group.id}", "key=comments.dlq/0/1"):
        answer = get(page, f"replay?{what}")
        assert (answer["can_replay"], "--allow-replay" in answer["why_not"]) == (False, True)


@pytest.mark.parametrize(
    "wrong",
    [{"rate": 1e-12}, {"rate": 0}, {"rate": "1"}, {"rate": True}, {"rate": 1e9}, {"limit": 0.5}, {"limit": 1.5},
     {"limit": 0}, {"limit": True}, {"count": 2.0}, {"count": -1}, {"count": 10**30}],
)  # fmt: skip
def test_a_rate_too_slow_to_end_and_parts_of_letters_are_not_understood(
    make_page: MakePage, wrong: dict[str, Any]
) -> None:
    page = make_page(allow_replay=True)
    page.feed_letters(letter("DECODE", "InvalidJson", 1))
    (group,) = page.parts.letters.groups()
    wanted = {"group": group.id, "rate": 1, "limit": 1, "count": 1} | wrong
    answer = page.client().post("/api/replay", json=wanted)
    assert (answer.status_code, next(iter(wrong)) in answer.json()["error"]) == (400, True)
