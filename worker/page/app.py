"""The page as a Starlette application: addresses, and what becomes of requests that can't be answered."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from worker.page.answers import SafeJson, csv_response
from worker.page.api import Api
from worker.page.cluster_questions import ClusterQuestions
from worker.page.letters_api import LettersApi
from worker.page.live import MOST_STREAMS, live, wanted_of
from worker.page.login_pace import LoginPace
from worker.page.parts import Parts
from worker.page.query import BadRequest, Busy, NotAllowed, NotFound
from worker.page.security import COOKIE, SESSION_SECONDS, Guard, Sessions, is_logged_in, too_many_wrong
from worker.page.unknown import Json

_MOST_BODY_BYTES = 16 * 1024

_EVENT_COLUMNS = (
    "key", "id", "comment_id", "at", "labels", "tier", "tiers", "top", "scores", "language", "source", "has_text",
    "text", "tokens", "problem",
)  # fmt: skip
_GROUP_COLUMNS = ("id", "stage", "error", "count", "first", "last", "sample")
_LETTER_COLUMNS = ("key", "at", "stage", "error", "detail", "hops", "source")

log = structlog.stdlib.get_logger(__name__)

Answer = Callable[[Mapping[str, str]], Json]
Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(parts: Parts, static: Path) -> Starlette:
    """The application; what it shows is followed while it runs.

    Args:
        parts: Of the page.
        static: Folder of the browser's half.
    """
    pages = _Pages(parts, static)
    api, letters = pages.api, pages.letters_api
    routes = [
        Route("/", pages.front, methods=["GET"]),
        Route("/login", pages.log_in, methods=["POST"]),
        Route("/api/page", _json(api.page)),
        Route("/api/live", pages.live),
        Route("/api/now", _json(lambda _: api.now.as_json())),
        Route("/api/events", _json(api.events)),
        Route("/api/events.csv", _csv(api.events, "events", _EVENT_COLUMNS)),
        Route("/api/events/{topic}/{partition}/{offset}", pages.event),
        Route("/api/scores", _json(api.scores)),
        Route("/api/what-if", _json(api.what_if)),
        Route("/api/what-if.csv", _csv(api.what_if, "changes", ("side", *_EVENT_COLUMNS))),
        Route("/api/what-if.json", pages.what_if_file),
        Route("/api/dead-letters", _json(letters.letters)),
        Route("/api/dead-letters.csv", _csv(letters.letters, "groups", _GROUP_COLUMNS)),
        Route("/api/dead-letters/{group}.csv", pages.letters_csv),
        Route("/api/dead-letters/{group}", pages.letters),
        Route("/api/replay", pages.replay_count, methods=["GET"]),
        Route("/api/replay", pages.begin_replay, methods=["POST"]),
        Route("/api/replays", _json(letters.replays)),
        Route("/api/replays/{id}/stop", pages.stop_replay, methods=["POST"]),
        Route("/api/health", _json(api.health)),
        Route("/api/shadow", _json(api.shadow)),
        Mount("/static", StaticFiles(directory=static, check_dir=False)),
    ]
    failures: Any = {
        BadRequest: _failure(HTTPStatus.BAD_REQUEST),
        NotFound: _failure(HTTPStatus.NOT_FOUND),
        NotAllowed: _failure(HTTPStatus.FORBIDDEN),
        Busy: _failure(HTTPStatus.SERVICE_UNAVAILABLE),
        HTTPException: _http_failure,
        Exception: _unexpected,
    }

    @asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        parts.start()
        try:
            yield
        finally:
            await run_in_threadpool(parts.stop)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, settings=parts.settings.page, sessions=pages.sessions, pace=pages.pace)],
        exception_handlers=failures,
        lifespan=running,
    )


class _Pages:
    """The endpoints that need more than a query."""

    def __init__(self, parts: Parts, static: Path) -> None:
        self.api = Api(parts)
        self.letters_api = LettersApi(parts)
        self.sessions = Sessions(parts.settings.page.token)
        self._parts = parts
        self._static = static
        self.pace = LoginPace()
        self._cluster = ClusterQuestions()
        self._streams = 0

    async def front(self, request: Request) -> Response:
        if is_logged_in(self.sessions, request.headers):
            return FileResponse(self._static / "index.html")
        return FileResponse(self._static / "login.html", status_code=HTTPStatus.UNAUTHORIZED)

    async def log_in(self, request: Request) -> Response:
        form = parse_qs((await _body(request)).decode(errors="replace"))
        token = form.get("token", [""])[0]
        if not self.sessions.is_token(token):
            waited = await self.pace.wrong(None if request.client is None else request.client.host)
            return RedirectResponse("/#wrong-token", HTTPStatus.SEE_OTHER) if waited else too_many_wrong()
        answer = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            self.sessions.new_cookie(),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            # The proxy that ends TLS speaks plain HTTP to the page; the form's origin says what the reader sees.
            secure=request.headers.get("origin", "").startswith("https://"),
        )
        return answer

    async def live(self, request: Request) -> Response:
        wanted = wanted_of(self.api, request.query_params)
        if self._streams >= MOST_STREAMS:
            why = f"{MOST_STREAMS} browsers follow this page already; close one"
            return SafeJson({"error": why}, HTTPStatus.SERVICE_UNAVAILABLE)

        async def counted() -> AsyncIterator[str]:
            if self._streams >= MOST_STREAMS:  # several were let in before the first of them began
                return
            self._streams += 1
            try:
                async for message in live(self.api, self._parts, wanted):
                    yield message
            finally:
                self._streams -= 1

        return StreamingResponse(counted(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def event(self, request: Request) -> Response:
        place = request.path_params
        call = partial(self.api.event, place["topic"], place["partition"], place["offset"], request.query_params)
        return SafeJson(await self._cluster.ask(call))

    async def replay_count(self, request: Request) -> Response:
        return SafeJson(await self._cluster.ask(partial(self.letters_api.replay_count, request.query_params)))

    async def what_if_file(self, request: Request) -> Response:
        content = await run_in_threadpool(self.api.what_if_file, request.query_params)
        name = f"{content['set'].partition('@')[0]}.json"
        body = json.dumps(content, indent=2, ensure_ascii=True) + "\n"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(body, media_type="application/json", headers=headers)

    async def letters(self, request: Request) -> Response:
        return SafeJson(
            await run_in_threadpool(self.letters_api.letter_group, request.path_params["group"], request.query_params)
        )

    async def letters_csv(self, request: Request) -> Response:
        group = request.path_params["group"]
        found = await run_in_threadpool(self.letters_api.letter_group, group, request.query_params)
        return csv_response(found["letters"], _LETTER_COLUMNS, "dead-letters.csv")

    async def begin_replay(self, request: Request) -> Response:
        wanted = await _json_body(request)
        return SafeJson(await self._cluster.ask(partial(self.letters_api.begin_replay, wanted)), HTTPStatus.ACCEPTED)

    async def stop_replay(self, request: Request) -> Response:
        await _json_body(request)
        return SafeJson(await run_in_threadpool(self.letters_api.stop_replay, request.path_params["id"]))


def _json(answer: Answer) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return SafeJson(await run_in_threadpool(answer, request.query_params))

    return endpoint


def _csv(answer: Answer, rows: str, columns: tuple[str, ...]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        found = await run_in_threadpool(answer, request.query_params)
        return csv_response(found[rows], columns, f"{rows}.csv")

    return endpoint


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY_BYTES:
            message = f"a request holds {_MOST_BODY_BYTES} bytes at most"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
    return body


async def _json_body(request: Request) -> Mapping[str, Any]:
    """The object in a request.

    Raises:
        BadRequest: It holds none, or says that it is something else: a form of another site can't say it is JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _body(request)
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        found = None
    if kind != "application/json" or not isinstance(found, dict):
        message = "send a JSON object, as Content-Type: application/json"
        raise BadRequest(message)
    return found


def _failure(status: HTTPStatus) -> Callable[[Request, Exception], Response]:
    def handler(_: Request, error: Exception) -> Response:
        return SafeJson({"error": str(error)}, status)

    return handler


def _http_failure(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    why = "there is no such page" if error.status_code == HTTPStatus.NOT_FOUND else error.detail
    return SafeJson({"error": why}, error.status_code, headers=error.headers)


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a request failed", path=request.url.path, exc_info=error)
    return SafeJson({"error": "the page failed at this; its log has the error"}, HTTPStatus.INTERNAL_SERVER_ERROR)
