"""One replay of dead letters: how far it is, and which letters it takes."""

import threading
from dataclasses import dataclass, field

from worker.kafka.dead_letters.reader import DeadLetter, Filter
from worker.page.unknown import Json


@dataclass(slots=True)
class Replay:
    """One replay.

    Attributes:
        what: What is sent back, for a person.
        rate: Letters a second, at most.
        limit: Letters, at most.
        total: Letters that there were to send when it began.
        sent: Letters sent so far; at its end those that were acknowledged.
        state: `running`, `done`, `failed` or `stopped`.
        problem: What went wrong, or what was left.
    """

    id: str
    at: str
    what: str
    rate: float
    limit: int
    total: int
    sent: int = 0
    state: str = "running"
    problem: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    def as_json(self) -> dict[str, Json]:
        """As the page shows it."""
        names = ("id", "at", "what", "rate", "limit", "sent", "total", "state", "problem")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class SendableOf(Filter):
    """The letters of one stage and error that can be sent back, and that this page has not sent back yet.

    A replay's limit counts the letters that its filter takes: one that can't be sent must not use it up.
    """

    sent: frozenset[tuple[int, int]] = frozenset()
    max_replays: int = 0

    def takes(self, letter: DeadLetter) -> bool:
        """Whether the letter is one of them."""
        return (
            Filter.takes(self, letter)
            and letter.replays < self.max_replays
            and bool(letter.topic)
            and place_of(letter) not in self.sent
        )


def place_of(letter: DeadLetter) -> tuple[int, int]:
    """Where a letter is in its topic."""
    return letter.record.partition() or 0, letter.record.offset() or 0
