"""A blocking call of the client library, made on a thread of its own while the worker continues."""

from collections.abc import Callable
from threading import Thread
from typing import Any


class BackgroundCall:
    """One call, started at once.

    The thread is a daemon: a worker that is told to stop at once does not wait for a broker's answer.

    Args:
        call: What blocks.
        arguments: Its arguments.
    """

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self._call = call
        self._arguments = arguments
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name=call.__name__, daemon=True)
        self._thread.start()

    def ended(self, timeout_seconds: float) -> bool:
        """Whether the call has returned; raises what it raised."""
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            return False
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # else the error and this frame would keep each other alive, and the client with them
        return True

    def _run(self) -> None:
        try:
            self._call(*self._arguments)
        except Exception as error:
            self._error = error.with_traceback(None)  # its frames refer to what was called: see `ended`
