"""One login at a time, and a wrong one takes a second: a token can't be guessed by trying."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

_WRONG_SECONDS = 1.0

Sleep = Callable[[float], Awaitable[object]]


class LoginPace:
    """Lets logins in one after another.

    Args:
        sleep: Waits.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> "AsyncIterator[LoginPace]":
        """Wait for one's turn."""
        async with self._lock:
            yield self

    async def wrong(self) -> None:
        """Wait after a wrong token; whoever comes next waits, too."""
        await self._sleep(_WRONG_SECONDS)
