"""Sends dead letters back when a reader asks for it: one, or those of a group, counted first and at a bounded rate.

`worker.kafka.dead_letters` does the sending: its hop limit and its refusals hold here as they do for `sluice
dead-letters replay`. A group begins behind that command's position, which a page never moves; a single letter is sent
wherever it lies.

A letter that this page has sent back, and whose return was acknowledged, is not sent again by it. It knows this only as
long as it runs, and only of the newest million: a restarted page counts and sends them again, up to the hop limit, and
a later `sluice dead-letters replay` without a filter sends them, too.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from worker.errors import SluiceError
from worker.kafka.dead_letters.reader import DeadLetter, dead_letter
from worker.kafka.dead_letters.replay import replay_dead_letters
from worker.kafka.dead_letters.returns import Returns
from worker.page.letter_groups import LetterGroup
from worker.page.lines import Lines
from worker.page.once_more import NoSuchRecord, record_at
from worker.page.replay import Replay, SendableOf, place_of
from worker.page.times import written
from worker.page.unknown import Json
from worker.settings import Settings

LEAST_RATE = 0.01
MOST_RATE = 10_000.0
MOST_LETTERS = 100_000
_MOST_REMEMBERED = 100
_MOST_SENT = 1_000_000
_SENT_ALREADY = "this page has sent it back already"
MIXED = (
    "this group holds letters of several errors, or of a longer name than is kept, so it can't be replayed as one: "
    "send its letters one by one, or use `sluice dead-letters replay --error NAME`"
)
NONE_LEFT = "every letter of this group has been sent back, or has been replayed too often"

log = structlog.stdlib.get_logger(__name__)


class Refused(Exception):
    """This replay can't be begun; the message says why."""


class Replays:
    """The replays of this page; any thread may ask, and one replay runs at a time.

    Args:
        settings: The worker's settings.
        lines: Get a line for each beginning and end.
        wall_clock: Seconds since the epoch.
    """

    def __init__(self, settings: Settings, lines: Lines, wall_clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._lines = lines
        self._wall_clock = wall_clock
        self._replays: dict[str, Replay] = {}
        self._numbers = itertools.count(1)
        self._sent: dict[tuple[int, int], None] = {}  # in the order they were sent
        self._counted: dict[str, int] = {}
        self._lock = threading.Lock()

    def count_group(self, group: LetterGroup) -> int:
        """How many letters of a group there are to send back, at most `MOST_LETTERS`.

        Raises:
            SluiceError: The topic can't be read.
        """
        done = self._replay_group(group, limit=MOST_LETTERS, dry_run=True)
        with self._lock:
            self._counted[group.id] = done.replayed
        return int(done.replayed)

    def target_of(self, partition: int, offset: int) -> tuple[DeadLetter, str]:
        """One letter, and why it can't be sent back; empty where it can.

        Raises:
            NoSuchRecord: It is not there any more.
            NoBroker: No broker answered.
        """
        settings = self._settings.dead_letters
        letter = dead_letter(record_at(self._settings, settings.topic, partition, offset))
        if letter.replays >= settings.max_replays:
            return letter, f"it has been replayed {letter.replays} times, and dead_letters.max_replays allows no more"
        if not letter.topic:
            return letter, "its headers do not say which topic it came from"
        if (partition, offset) in self._sent:
            return letter, _SENT_ALREADY
        return letter, ""

    def begin_group(self, group: LetterGroup, *, rate: float, limit: int, total: int) -> Replay:
        """Begin to send the letters of a group back, no more than were counted.

        Args:
            group: Whose letters.
            rate: Letters a second, at most.
            limit: Letters, at most.
            total: What the reader was shown. It can only lower what this page counted last, or counts now where it has
                not since the group's last replay.

        Raises:
            Refused: Another replay is running, there is nothing to send, or the group is no single kind of letters.
            SluiceError: The topic can't be read.
        """
        if group.is_mixed:
            raise Refused(MIXED)
        with self._lock:
            self._refuse_beside_another()
            counted = self._counted.get(group.id)
        if counted is None:
            counted = self.count_group(group)
        if not counted:
            raise Refused(NONE_LEFT)
        limit = min(limit, total, counted)
        replay = self._begin(f"{counted} letters of {group.stage} {group.error}", rate, limit, counted)
        with self._lock:
            self._counted.pop(group.id, None)

        def work() -> None:
            done = self._replay_group(group, limit=limit, rate=rate, replay=replay)
            replay.sent = done.replayed
            replay.problem = f"left: {len(done.refused)} refused by their topic" if done.refused else ""

        return self._run(replay, work)

    def begin_one(self, partition: int, offset: int) -> Replay:
        """Send one letter back.

        Raises:
            Refused: It can't be sent back, or another replay is running.
            NoSuchRecord: It is not there any more.
            NoBroker: No broker answered.
        """
        letter, why_not = self.target_of(partition, offset)
        if why_not:
            raise Refused(why_not)
        what = f"the letter {self._settings.dead_letters.topic}/{partition}/{offset}"
        replay = self._begin(what, 1.0, 1, 1, unless_sent=(partition, offset))

        def work() -> None:
            returns = Returns(self._settings)
            returns.send(letter, letter.topic)
            refused = returns.settle()
            replay.sent = 1 - len(refused)
            if not refused:
                self._remember([letter])
            else:
                replay.state, replay.problem = "failed", f"{letter.topic} does not take it: {refused[0].reason}"

        return self._run(replay, work)

    def stop(self, replay_id: str) -> bool:
        """End a replay after the letters that are on their way; False if there is none of this id."""
        replay = self._replays.get(replay_id)
        if replay is None:
            return False
        replay.stop.set()
        return True

    def stop_all(self) -> None:
        """End every replay."""
        for replay in list(self._replays.values()):
            replay.stop.set()

    def as_json(self) -> list[Json]:
        """All replays that are remembered, the newest first."""
        return [replay.as_json() for replay in reversed(list(self._replays.values()))]

    def _refuse_beside_another(self) -> None:
        if any(replay.state == "running" for replay in self._replays.values()):
            message = "another replay is running; wait for its end, or stop it"
            raise Refused(message)

    def _begin(
        self, what: str, rate: float, limit: int, total: int, unless_sent: tuple[int, int] | None = None
    ) -> Replay:
        with self._lock:
            self._refuse_beside_another()
            if unless_sent in self._sent:  # by a second click, while the first read the letter
                raise Refused(_SENT_ALREADY)
            replay = Replay(str(next(self._numbers)), written(self._wall_clock() * 1000), what, rate, limit, total)
            self._replays[replay.id] = replay
            while len(self._replays) > _MOST_REMEMBERED:
                del self._replays[next(iter(self._replays))]
        return replay

    def _run(self, replay: Replay, work: Callable[[], None]) -> Replay:
        def run() -> None:
            self._say(replay, "info", "replay begun")
            try:
                work()
                if replay.state == "running":
                    replay.state = "stopped" if replay.stop.is_set() else "done"
            except (SluiceError, NoSuchRecord) as error:
                replay.state, replay.problem = "failed", str(error)
            except Exception:
                log.exception("a replay failed", replay=replay.id)
                replay.state, replay.problem = "failed", "the page's log has the error"
            self._say(replay, "error" if replay.state == "failed" else "info", f"replay {replay.state}")

        threading.Thread(target=run, name=f"replay-{replay.id}", daemon=True).start()
        return replay

    def _replay_group(
        self, group: LetterGroup, *, replay: Replay | None = None, dry_run: bool = False, **how: Any
    ) -> Any:
        with self._lock:
            sent = frozenset(self._sent)
        most = self._settings.dead_letters.max_replays
        chosen = SendableOf(frozenset({group.error}), frozenset({group.stage}), sent=sent, max_replays=most)

        def progress(_: DeadLetter) -> None:
            if replay is not None:
                replay.sent += 1

        stop = threading.Event() if replay is None else replay.stop

        def sleep(seconds: float) -> None:
            stop.wait(seconds)

        # Only what is acknowledged is remembered: the rest of a replay that fails may be sent again, as by the command.
        return replay_dead_letters(
            self._settings,
            chosen,
            clock=time.monotonic,
            sleep=sleep,
            uniform=random.uniform,
            dry_run=dry_run,
            progress=progress,
            acknowledged=self._remember,
            stopped=stop.is_set,
            **how,
        )

    def _remember(self, letters: Iterable[DeadLetter]) -> None:
        with self._lock:
            self._sent.update((place_of(letter), None) for letter in letters)
            while len(self._sent) > _MOST_SENT:
                del self._sent[next(iter(self._sent))]

    def _say(self, replay: Replay, level: str, event: str) -> None:
        facts = replay.as_json()
        getattr(log, level)(event, **{name: facts[name] for name in ("id", "what", "rate", "limit", "sent", "problem")})
        end = f"; {replay.problem}" if replay.problem else ""
        self._lines.add(level, f"{event}: {replay.what}, {replay.sent} of {min(replay.limit, replay.total)} sent{end}")
