"""SIGTERM, SIGINT and SIGHUP, heard at once wherever the worker is.

Python runs a signal's handler between two steps of the main thread, which may be long inside a library: a hub that is
silent, a transactional producer without a broker. So a thread of its own reads the descriptor that the interpreter
writes each signal to (`signal.set_wakeup_fd`), and acts.

Until work begins nothing is in flight, and the process ends there and then. From then on the first signal asks for a
drain, and a second one ends the process where it stands.

SIGHUP asks for another model, as it asks many servers to read their files again. On a terminal it says that the
terminal is gone, and there it is a stop signal.
"""

import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Self

import structlog

from worker.errors import DrainDeadlinePassed

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = structlog.stdlib.get_logger(__name__)


class StopSignals:
    """Takes the process's stop signals while it is entered; on the main thread only.

    Attributes:
        requested: Set by the first signal after `begin_work`.
        change_requested: Set by a SIGHUP after `begin_work`, where there is no terminal.
    """

    def __init__(self) -> None:
        self.requested = threading.Event()
        self.change_requested = threading.Event()
        self._working = False
        self._lock = threading.Lock()
        self._stack = ExitStack()

    def begin_work(self) -> None:
        """From now on a signal asks for a drain instead of ending the process."""
        with self._lock:
            self._working = True

    def __enter__(self) -> Self:
        ours, interpreters = socket.socketpair()
        interpreters.setblocking(False)
        self._stack.callback(interpreters.close)  # the thread reads the end of it, and ends
        self._stack.callback(
            signal.set_wakeup_fd, signal.set_wakeup_fd(interpreters.fileno(), warn_on_full_buffer=False)
        )
        for number in SIGNALS:
            self._stack.callback(signal.signal, number, signal.signal(number, _leave_it_to_the_thread))
        threading.Thread(target=self._listen, args=(ours,), name="signals", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _listen(self, ours: socket.socket) -> None:
        with ours:
            while received := ours.recv(1):
                if received[0] in SIGNALS:
                    self._take(signal.Signals(received[0]))

    def _take(self, number: signal.Signals) -> None:
        with self._lock:
            if number is signal.SIGHUP and not _has_terminal():
                if self._working:
                    self.change_requested.set()
                return  # before that, the model is being loaded: it is the one that the settings name now
            if not self._working:
                log.info("stopped before it joined its group: nothing was in flight", signal=number.name)
                _end(0)
            if self.requested.is_set():
                log.error("stopped at once by a second signal: work in flight was dropped, uncommitted")
                _end(DrainDeadlinePassed.exit_code)
            log.info("draining", signal=number.name)
            self.requested.set()


def _leave_it_to_the_thread(number: int, frame: FrameType | None) -> None:
    """A handler must be there, or the system's own would end the process."""


def _has_terminal() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _end(code: int) -> None:
    """End the process without waiting for any thread, the one in the model included."""
    sys.stderr.flush()
    os._exit(code)
