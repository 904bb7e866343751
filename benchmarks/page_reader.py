"""What a browser asks of the page: its stream of events, which stays open, and in turn what most views show."""

import json
import sys
import threading
import time
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any

from benchmarks.live import MeasuredProcess
from testkit.kafka import eventually

VIEWS = ("now", "page", "events?limit=50", "scores?span=1h", "what-if?label=toxic&review=0.3&act=0.9", "health")
_SECONDS = 60


class PageReader:
    """One reader of the page on this port of loopback.

    Args:
        port: Where the page listens.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def wait_until_there(self, page: MeasuredProcess) -> None:
        """Wait until the page answers; the benchmark ends if it ends, or does not answer within a minute."""
        if not eventually(self._answers):
            page.check()
            sys.exit(f"the page does not answer:\n{page.log}")

    def open(self) -> None:
        """Begin to follow the stream of events."""
        self._thread.start()

    def close(self) -> None:
        """Follow it no more."""
        self._over.set()

    def ask(self, view: str) -> Any:
        """What a view has to show; the benchmark ends if the page refuses."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        connection.request("GET", f"/api/{view}")
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        if answer.status != HTTPStatus.OK:
            sys.exit(f"the page answered {answer.status} to {view}: {found}")
        return found

    def look_round(self) -> tuple[float, dict[str, Any]]:
        """Seconds that the slowest view took, and what was answered."""
        took, found = [], {}
        for view in VIEWS:
            begun = time.monotonic()
            found[view] = self.ask(view)
            took.append(time.monotonic() - begun)
        return max(took), found

    def _answers(self) -> bool:
        try:
            self.ask("page")
        except OSError:
            return False
        return True

    def _follow(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        connection.request("GET", "/api/live")
        answer = connection.getresponse()
        while not self._over.is_set() and answer.readline():
            pass
        connection.close()
