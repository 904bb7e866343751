"""A letter counts as sent back once it is acknowledged: not one that was refused, nor one of a replay that failed."""

import threading
from typing import Any

import pytest

from testkit.dead_letter_topic import DeadLetterTopic
from testkit.kafka import eventually
from tests.unit.page.conftest import FedPage
from tests.unit.page.test_answers import letter
from worker.kafka.dead_letters import replay as replay_module
from worker.kafka.dead_letters.reader import dead_letter
from worker.page import replays as replays_module
from worker.page.replays import Refused

LETTERS = [dead_letter(letter("DECODE", "InvalidJson", offset)) for offset in range(3)]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> DeadLetterTopic:
    made = DeadLetterTopic(LETTERS)
    made.stand_in(monkeypatch)
    return made


def replay(page: FedPage, limit: int = 10, total: int = 3) -> dict[str, Any]:
    """Replay the group of the letters, and wait for the end."""
    page.feed_letters(*(one.record for one in LETTERS))
    replays = page.parts.replays
    (group,) = page.parts.letters.groups()
    begun = replays.begin_group(group, rate=100, limit=limit, total=total)
    assert eventually(lambda: begun.state != "running")
    return begun.as_json()


def count(page: FedPage) -> int:
    return page.parts.replays.count_group(page.parts.letters.groups()[0])


def test_a_letter_is_sent_once(page: FedPage, topic: DeadLetterTopic) -> None:
    del topic
    done = replay(page)
    assert (done["state"], done["sent"], count(page)) == ("done", 3, 0)


def test_no_more_are_sent_than_were_counted(page: FedPage, topic: DeadLetterTopic) -> None:
    del topic
    assert replay(page, limit=10, total=2)["sent"] == 2
    assert count(page) == 1


def test_a_letter_that_was_refused_can_be_sent_again(page: FedPage, topic: DeadLetterTopic) -> None:
    topic.refused = {1}
    done = replay(page)
    assert (done["state"], done["sent"], count(page)) == ("done", 2, 1)
    assert "1 refused" in done["problem"]
    topic.refused = set()
    assert replay(page)["sent"] == 1
    assert topic.sent == [0, 1, 2, 1]


def test_letters_of_a_replay_that_failed_can_be_sent_again_but_not_those_acknowledged_before(
    page: FedPage, topic: DeadLetterTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "_ACKNOWLEDGED_TOGETHER", 2)
    topic.fails_at = 2
    done = replay(page)
    assert (done["state"], done["problem"]) == ("failed", "not acknowledged")
    assert count(page) == 1


def test_letters_that_can_not_be_sent_use_up_neither_the_count_nor_the_limit(
    page: FedPage, topic: DeadLetterTopic
) -> None:
    too_often = [dead_letter(letter("DECODE", "InvalidJson", offset, hops=3)) for offset in range(5)]
    nowhere = [one._replace(topic="") for one in LETTERS]
    topic.letters = [*too_often, *nowhere, *(dead_letter(letter("DECODE", "InvalidJson", n)) for n in range(8, 11))]
    assert replay(page, limit=2)["sent"] == 2
    assert topic.sent == [8, 9]
    assert count(page) == 1


def test_a_reader_can_not_have_more_sent_than_the_page_counted(
    page: FedPage, topic: DeadLetterTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    page.feed_letters(LETTERS[0].record)
    (group,) = page.parts.letters.groups()
    topic.letters = LETTERS[:2]
    assert page.parts.replays.count_group(group) == 2
    topic.letters = LETTERS  # one more came since
    begun = page.parts.replays.begin_group(group, rate=100, limit=90_000, total=90_000)
    assert eventually(lambda: begun.state == "done")
    assert (begun.sent, begun.total, topic.sent) == (2, 2, [0, 1])
    assert "90000" not in capsys.readouterr().out
    again = page.parts.replays.begin_group(group, rate=100, limit=90_000, total=90_000)
    assert eventually(lambda: again.state == "done")
    assert (again.total, topic.sent) == (1, [0, 1, 2])
    with pytest.raises(Refused, match="every letter"):
        page.parts.replays.begin_group(group, rate=100, limit=1, total=1)


def test_two_clicks_send_one_letter_once(
    page: FedPage, topic: DeadLetterTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays_module, "Returns", topic.returns)
    monkeypatch.setattr(replays_module, "record_at", lambda *_: LETTERS[1].record)
    replays = page.parts.replays
    looks = replays.target_of
    first_has_looked, second_is_done = threading.Event(), threading.Event()

    def look_slowly(partition: int, offset: int) -> Any:
        found = looks(partition, offset)
        if not first_has_looked.is_set():
            first_has_looked.set()
            assert second_is_done.wait(10)
        return found

    monkeypatch.setattr(replays, "target_of", look_slowly)
    refused: list[str] = []

    def first_click() -> None:
        try:
            replays.begin_one(0, 1)
        except Refused as error:
            refused.append(str(error))

    first = threading.Thread(target=first_click)
    first.start()
    assert first_has_looked.wait(10)
    replays.begin_one(0, 1)
    assert eventually(lambda: replays.as_json()[0]["state"] == "done")
    second_is_done.set()
    first.join(10)
    assert topic.sent == [1]
    assert "already" in refused[0]


def test_of_what_was_sent_the_oldest_is_forgotten_first(
    page: FedPage, topic: DeadLetterTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays_module, "_MOST_SENT", 2)
    replay(page)
    assert count(page) == 1
    assert replay(page)["sent"] == 1
    assert topic.sent == [0, 1, 2, 0]


def test_every_replay_leaves_lines_and_log_events(
    page: FedPage, topic: DeadLetterTopic, capsys: pytest.CaptureFixture[str]
) -> None:
    del topic
    replay(page)
    _, lines = page.parts.lines.after(0)
    assert [line["text"].partition(":")[0] for line in lines] == ["replay begun", "replay done"]
    logged = capsys.readouterr()
    assert "replay done" in logged.out + logged.err


def test_a_group_of_no_letters_left_begins_nothing_beside_another(page: FedPage, topic: DeadLetterTopic) -> None:
    del topic
    page.feed_letters(*(one.record for one in LETTERS))
    (group,) = page.parts.letters.groups()
    held = page.parts.replays._begin("something", 1, 1, 1)
    with pytest.raises(Refused, match="another replay is running"):
        page.parts.replays.begin_group(group, rate=1, limit=1, total=1)
    assert page.parts.replays.stop(held.id)
    assert not page.parts.replays.stop("none")
