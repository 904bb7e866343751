"""A letter counts as sent back once it is acknowledged: not one that was refused, nor one of a replay that failed."""

from collections.abc import Callable
from typing import Any

import pytest

from testkit.kafka import eventually
from tests.unit.page.conftest import FedPage
from tests.unit.page.test_answers import letter
from worker.errors import Fatal
from worker.kafka.dead_letters.reader import DeadLetter, dead_letter
from worker.kafka.dead_letters.replay import Replayed
from worker.kafka.dead_letters.returns import RefusedReturn
from worker.page import replays as replays_module
from worker.page.replays import Refused

LETTERS = [dead_letter(letter("DECODE", "InvalidJson", offset)) for offset in range(3)]


class Sender:
    """Stands in for `replay_dead_letters`: sends the letters that the filter takes."""

    def __init__(self) -> None:
        self.refused: set[int] = set()
        self.fails = False

    def __call__(
        self,
        settings: Any,
        chosen: Any,
        *,
        progress: Callable[[DeadLetter], None],
        stopped: Callable[[], bool],
        limit: int,
        **_: Any,
    ) -> Replayed:
        del settings
        done = Replayed(moves_position=False)
        for one in [one for one in LETTERS if chosen.takes(one)][:limit]:
            if stopped():
                break
            progress(one)
            if one.record.offset() in self.refused:
                done.refused.append(RefusedReturn(one, "comments", "too large"))
            else:
                done.replayed += 1
        if self.fails:
            message = "not acknowledged"
            raise Fatal(message)
        return done


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Sender:
    made = Sender()
    monkeypatch.setattr(replays_module, "replay_dead_letters", made)
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


def test_a_letter_is_sent_once(page: FedPage, sender: Sender) -> None:
    del sender
    done = replay(page)
    assert (done["state"], done["sent"], count(page)) == ("done", 3, 0)


def test_no_more_are_sent_than_were_counted(page: FedPage, sender: Sender) -> None:
    del sender
    assert replay(page, limit=10, total=2)["sent"] == 2
    assert count(page) == 1


def test_a_letter_that_was_refused_can_be_sent_again(page: FedPage, sender: Sender) -> None:
    sender.refused = {1}
    done = replay(page)
    assert (done["state"], done["sent"], count(page)) == ("done", 2, 0)
    assert "1 refused" in done["problem"]
    sender.refused = set()
    assert count(page) == 1


def test_letters_of_a_replay_that_failed_can_be_sent_again(page: FedPage, sender: Sender) -> None:
    sender.fails = True
    done = replay(page)
    assert (done["state"], done["problem"]) == ("failed", "not acknowledged")
    sender.fails = False
    assert count(page) == 3


def test_every_replay_leaves_lines_and_log_events(
    page: FedPage, sender: Sender, capsys: pytest.CaptureFixture[str]
) -> None:
    del sender
    replay(page)
    _, lines = page.parts.lines.after(0)
    assert [line["text"].partition(":")[0] for line in lines] == ["replay begun", "replay done"]
    logged = capsys.readouterr()
    assert "replay done" in logged.out + logged.err


def test_a_group_of_no_letters_left_begins_nothing_beside_another(page: FedPage, sender: Sender) -> None:
    del sender
    page.feed_letters(*(one.record for one in LETTERS))
    (group,) = page.parts.letters.groups()
    held = page.parts.replays._begin("something", 1, 1, 1)
    with pytest.raises(Refused, match="another replay is running"):
        page.parts.replays.begin_group(group, rate=1, limit=1, total=1)
    assert page.parts.replays.stop(held.id)
    assert not page.parts.replays.stop("none")
