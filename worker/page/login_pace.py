"""A wrong token takes a second, and is logged; a right one waits for nobody.

A token of sixteen characters is not found by trying. What trying would do is fill the log and keep readers out: so only
wrong tokens wait, few at a time, and those beyond are refused at once and counted in the next line of the log.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

MOST_WRONG = 8
"""Wrong tokens that wait at a time."""

_WRONG_SECONDS = 1.0

log = structlog.stdlib.get_logger(__name__)

Sleep = Callable[[float], Awaitable[object]]


class LoginPace:
    """Slows wrong tokens, from a form or from a header. Used on one event loop.

    Args:
        sleep: Waits.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._waiting = 0
        self._refused = 0

    async def wrong(self, client: str | None) -> bool:
        """Log a wrong token and wait; False at once where enough of them wait already.

        Args:
            client: The address that it came from.
        """
        if self._waiting >= MOST_WRONG:
            self._refused += 1
            return False
        self._waiting += 1
        log.warning("a login failed", client=client, refused_before=self._refused)
        self._refused = 0
        try:
            await self._sleep(_WRONG_SECONDS)
        finally:
            self._waiting -= 1
        return True
