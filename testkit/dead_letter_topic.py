"""A dead letter topic without a broker, under the real replay: what was sent back, and where its position is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from worker.errors import Fatal
from worker.kafka.dead_letters import replay as replay_module
from worker.kafka.dead_letters.reader import DeadLetter
from worker.kafka.dead_letters.returns import RefusedReturn


class DeadLetterTopic:
    """Letters of one partition, in the place of the broker's.

    Attributes:
        sent: The offsets of the letters sent back, in order.
        position: The position's next offset; None before it has moved.
        refused: Offsets of letters that their topic refuses.
        fails_at: Which settling fails, from 1 on; 0 for none.
        on_send: Called after each letter was sent.
    """

    def __init__(self, letters: Sequence[DeadLetter]) -> None:
        self.letters = letters
        self.sent: list[int] = []
        self.position: int | None = None
        self.refused: set[int] = set()
        self.fails_at = 0
        self.on_send: Callable[[], None] = lambda: None
        self.settled = 0

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the broker for `replay_dead_letters`."""
        monkeypatch.setattr(replay_module, "read_dead_letters", self._read)
        monkeypatch.setattr(replay_module, "Returns", self.returns)
        monkeypatch.setattr(replay_module, "ReplayPosition", lambda *_, **__: _Position(self))

    def returns(self, settings: Any) -> Any:
        """A producer of replayed records that keeps their offsets in `sent`."""
        del settings
        return _Returns(self)

    def _read(self, settings: Any, chosen: Any, *, clock: Any, starts: Any) -> Iterator[DeadLetter]:
        del settings, clock
        start = starts([0]).get(0, 0) if starts else 0
        return (one for one in self.letters if offset_of(one) >= start and chosen.takes(one))


def offset_of(letter: DeadLetter) -> int:
    """The offset of a letter in its topic."""
    offset = letter.record.offset()
    assert offset is not None
    return int(offset)


class _Returns:
    def __init__(self, topic: DeadLetterTopic) -> None:
        self._topic = topic
        self._open: list[DeadLetter] = []

    def send(self, letter: DeadLetter, topic: str) -> None:
        assert topic
        self._topic.sent.append(offset_of(letter))
        self._open.append(letter)
        self._topic.on_send()

    def settle(self) -> list[RefusedReturn]:
        self._topic.settled += 1
        if self._topic.settled == self._topic.fails_at:
            message = "not acknowledged"
            raise Fatal(message)
        together, self._open = self._open, []
        refused = self._topic.refused
        return [RefusedReturn(one, one.topic, "too large") for one in together if offset_of(one) in refused]


class _Position:
    def __init__(self, topic: DeadLetterTopic) -> None:
        self._topic = topic

    def find(self, partitions: Sequence[int]) -> dict[int, int]:
        position = self._topic.position
        return {} if position is None else dict.fromkeys(partitions, position)

    def move(self, offsets: Mapping[int, int]) -> None:
        self._topic.position = offsets[0]

    def close(self) -> None:
        pass
