"""A thread that follows a topic for as long as the page runs, whatever becomes of the topic and its brokers."""

import re
import threading
from collections.abc import Callable, Mapping

import structlog

from worker.errors import SluiceError
from worker.page.tail import Read, Tail

_AGAIN_SECONDS = 3.0
_DIGITS = re.compile(r"[0-9.]+")

log = structlog.stdlib.get_logger(__name__)

Take = Callable[[Read], None]


class Follower:
    """Opens a topic, reads it, and opens it again when it can't be read.

    Args:
        topic: The topic, for the log.
        open_tail: Opens it, with how far it was read before, by partition; called again after every failure.
        take: Gets what was read, on this follower's thread.

    Attributes:
        problem: Why nothing is read just now; empty while there is no reason.
    """

    def __init__(self, topic: str, open_tail: Callable[[Mapping[int, int]], Tail], take: Take) -> None:
        self.problem = f"topic {topic} has not been read yet"
        self._topic = topic
        self._open = open_tail
        self.take = take
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"follow-{topic}", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which may be in a call to a broker for a few seconds more."""
        self._stop.set()
        self._thread.join(_AGAIN_SECONDS)

    def _run(self) -> None:
        read_to: Mapping[int, int] = {}
        while not self._stop.is_set():
            tail: Tail | None = None
            try:
                tail = self._open(read_to)
                while not self._stop.is_set():
                    found = tail.read()
                    self.problem = tail.problem
                    self.take(found)
            except SluiceError as error:
                if _DIGITS.sub("", str(error)) != _DIGITS.sub("", self.problem):  # it counts what it has tried
                    log.warning("a topic can't be followed", topic=self._topic, cause=str(error))
                self.problem = str(error)
            except Exception:
                log.exception("following a topic failed", topic=self._topic)
                self.problem = f"reading {self._topic} failed; the page's log has the error"
            finally:
                if tail is not None:
                    read_to = tail.next
                    tail.close()
            self._stop.wait(_AGAIN_SECONDS)
