"""Server-sent events: what is true now, each second, and new events and lines, twice a second."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from itertools import islice, takewhile
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from worker.page.answers import dumped
from worker.page.api import Api
from worker.page.event_filter import EventFilter
from worker.page.parts import Parts
from worker.page.query import wants_text
from worker.page.unknown import Json

MOST_STREAMS = 32
"""Browsers that are served at a time."""

MOST_EVENTS = 50
_TICK_SECONDS = 0.5
_TICKS_OF_NOW = 2
_TICKS_OF_COMMENT = 30


class _Wanted(NamedTuple):
    """What one browser asks for.

    Attributes:
        events: Which events; None: none.
        with_text: Whether their texts are sent.
    """

    events: EventFilter | None
    with_text: bool


class _Place:
    """How far one browser has been told."""

    def __init__(self) -> None:
        self.event = -1
        self.seen: int | None = None
        self.line = 0


def wanted_of(api: Api, query: Mapping[str, str]) -> _Wanted:
    """What a query asks for.

    Raises:
        BadRequest: The filter is not understood.
    """
    return _Wanted(None if query.get("events") == "0" else api.filter(query), wants_text(query))


async def live(api: Api, parts: Parts, wanted: _Wanted) -> AsyncIterator[str]:
    """The messages, without end; the browser's leaving cancels it."""
    place = _Place()
    tick = 0
    while True:
        if tick % _TICKS_OF_NOW == 0:
            yield _message("now", await run_in_threadpool(api.now.as_json))
        if wanted.events is not None:
            yield _message("events", await run_in_threadpool(_news, parts, wanted, place))
        place.line, lines = parts.lines.after(place.line)
        for line in lines:
            yield _message("line", line)
        if tick % _TICKS_OF_COMMENT == _TICKS_OF_COMMENT - 1:
            yield ": .\n\n"
        await asyncio.sleep(_TICK_SECONDS)
        tick += 1


def _news(parts: Parts, wanted: _Wanted, place: _Place) -> Json:
    """The newest events since the last message; at first the newest there are."""
    assert wanted.events is not None  # noqa: S101 - asked for by the caller
    newest = parts.sample.newest()
    news = takewhile(lambda event: event.number > place.event, newest)
    shown = list(islice(filter(wanted.events.takes, news), MOST_EVENTS))
    if newest:
        place.event = newest[0].number
    seen = parts.sample.seen
    came = seen - place.seen if place.seen is not None else 0
    place.seen = seen
    return {
        "events": [event.summary(with_text=wanted.with_text) for event in shown],
        "seen": came,
        "shown": len(shown),
    }


def _message(name: str, content: Json) -> str:
    return f"event: {name}\ndata: {dumped(content)}\n\n"
