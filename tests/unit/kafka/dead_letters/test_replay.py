"""A replay that is stopped sends nothing more, and its position stays in front of what was not sent."""

from collections.abc import Callable

import pytest

from testkit.dead_letter_topic import DeadLetterTopic, offset_of
from testkit.records import record
from worker.errors import Fatal
from worker.kafka.dead_letters import replay as replay_module
from worker.kafka.dead_letters.reader import Filter, dead_letter
from worker.kafka.dead_letters.replay import Replayed, replay_dead_letters
from worker.settings import Settings


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> DeadLetterTopic:
    headers = [("__connect.errors.topic", b"comments")]
    made = DeadLetterTopic([dead_letter(record(b"x", offset=n, partition=0, headers=headers)) for n in range(10)])
    made.stand_in(monkeypatch)
    return made


def replay(
    *,
    rate: float | None = None,
    sleep: Callable[[float], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
    acknowledged: list[int] | None = None,
) -> Replayed:
    known = acknowledged if acknowledged is not None else []
    return replay_dead_letters(
        Settings(),
        Filter(),
        clock=lambda: 0.0,
        sleep=sleep,
        uniform=lambda low, _: low,
        rate=rate,
        stopped=stopped,
        acknowledged=lambda letters: known.extend(map(offset_of, letters)),
    )


@pytest.mark.parametrize("rate", [None, 200.0, 5.0])
def test_a_stopped_replay_sends_nothing_more_of_those_that_are_acknowledged_together(
    topic: DeadLetterTopic, rate: float | None
) -> None:
    done = replay(rate=rate, stopped=lambda: len(topic.sent) >= 3)
    assert (topic.sent, done.replayed) == ([0, 1, 2], 3)
    assert topic.position == 3, "what was not sent is still to be replayed"
    assert replay().replayed == 7
    assert topic.sent == list(range(10))


def test_a_stop_that_comes_in_a_wait_sends_nothing_after_it(topic: DeadLetterTopic) -> None:
    waits: list[float] = []
    replay(rate=4.0, sleep=waits.append, stopped=lambda: len(waits) >= 2)
    assert topic.sent == [0, 1]


def test_a_replay_that_is_stopped_before_it_began_moves_nothing(topic: DeadLetterTopic) -> None:
    assert replay(rate=1.0, stopped=lambda: True).replayed == 0
    assert topic.position is None


def test_letters_are_known_as_acknowledged_although_the_replay_fails_later(
    topic: DeadLetterTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "_ACKNOWLEDGED_TOGETHER", 4)
    topic.fails_at = 2
    topic.refused = {1}
    known: list[int] = []
    with pytest.raises(Fatal):
        replay(acknowledged=known)
    assert known == [0, 2, 3], "not the one that its topic refused, nor those of the part that failed"
