"""Threads for the requests that ask the cluster, apart from those that answer from memory.

A question to a cluster that does not answer holds its thread for seconds. On the threads of all other answers a handful
of readers would keep everybody waiting; here they keep only each other.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread

from worker.page.query import Busy

MOST_QUESTIONS = 4

T = TypeVar("T")


class ClusterQuestions:
    """Asks a few questions at a time. Used on one event loop."""

    def __init__(self) -> None:
        self._asking = 0

    async def ask(self, question: Callable[[], T]) -> T:
        """What a question brought.

        Args:
            question: Called on a thread of its own.

        Raises:
            Busy: As many are being asked already as may be.
        """
        if self._asking >= MOST_QUESTIONS:
            message = f"the page asks the cluster {MOST_QUESTIONS} questions already; try again in a few seconds"
            raise Busy(message)
        self._asking += 1
        try:
            return await to_thread.run_sync(question, limiter=anyio.CapacityLimiter(1))
        finally:
            self._asking -= 1
