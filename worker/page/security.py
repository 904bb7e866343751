"""Who may ask the page what: every request passes here, and every answer is told what a browser may do with it.

A page on loopback is reached by every site that its reader visits. So a request must name a host that is ours (else a
DNS name of somebody else's, pointed at 127.0.0.1, would make their script same-origin), and one that changes something
must come from a page of ours (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/; OWASP's CSRF cheat sheet).
"""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.page.answers import SafeJson
from worker.page.login_pace import LoginPace
from worker.settings import PageSettings

COOKIE = "sluice_page"
SESSION_SECONDS = 12 * 3600

_OPEN = ("/", "/login")
"""`/` answers with the login page; what is static holds nothing of the stream."""

_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_API = "/api/"
_STATIC = "/static/"
_OTHER_SITES = frozenset({"cross-site", "same-site"})
"""Where a question comes from that another site's page asks; even unread, its answer costs the page work."""


class Sessions:
    """The token, and cookies that stand for it: they end by themselves, and do not hold the token.

    Args:
        token: What a reader must know; None: everybody may see the page.
        wall_clock: Seconds since the epoch.
    """

    def __init__(self, token: str | None, wall_clock: Callable[[], float] = time.time) -> None:
        self._token = None if token is None else token.encode()
        self._wall_clock = wall_clock

    @property
    def asked_for(self) -> bool:
        """Whether a reader must log in."""
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Whether this is the token; takes as long whatever is given."""
        return self._token is not None and hmac.compare_digest(given.encode(errors="replace"), self._token)

    def new_cookie(self) -> str:
        """The value of a cookie that is good from now on."""
        until = str(int(self._wall_clock()) + SESSION_SECONDS)
        return f"{until}.{self._signed(until)}"

    def is_good(self, cookie: str) -> bool:
        """Whether a cookie is one of ours, and has not ended."""
        until, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._signed(until).encode()):
            return False
        return until.isdigit() and int(until) > self._wall_clock()

    def _signed(self, until: str) -> str:
        key = hashlib.sha256(b"sluice page session\0" + (self._token or b"")).digest()
        return hmac.new(key, until.encode(errors="replace"), hashlib.sha256).hexdigest()


class Guard:
    """ASGI middleware.

    Args:
        app: The page.
        settings: Which names are ours.
        sessions: Who has logged in.
        pace: Slows wrong tokens.
    """

    def __init__(self, app: ASGIApp, settings: PageSettings, sessions: Sessions, pace: LoginPace) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in (*settings.names, "localhost"))
        self._sessions = sessions
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), str(scope["path"])

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    sent[name] = value
                sent["Cache-Control"] = "no-cache" if path.startswith(_STATIC) else "no-store"
                # A form that is sent from a page without a referrer has no origin to check.
                sent["Referrer-Policy"] = "same-origin" if _is_login(path, message["status"]) else "no-referrer"
            await send(message)

        refusal = self._refusal(scope["method"], path, headers)
        if refusal is None or refusal.status_code == HTTPStatus.UNAUTHORIZED:
            refusal = await self._wrong_token(headers, scope.get("client")) or refusal
        app = self._app if refusal is None else refusal
        await app(scope, receive, send_guarded)

    def _refusal(self, method: str, path: str, headers: Headers) -> SafeJson | None:
        if not self._is_ours(headers.get("host", "")):
            return _refused(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this page has another name: add the one in the address to page.names (SLUICE_PAGE__NAMES)",
            )
        if path.startswith(_API) and headers.get("sec-fetch-site") in _OTHER_SITES:
            return _refused(HTTPStatus.FORBIDDEN, "this page answers its own pages only, not those of another site")
        if method in _CHANGES and not _is_from_here(headers):
            return _refused(HTTPStatus.FORBIDDEN, "a change is accepted from this page only, not from another site")
        is_open = path in _OPEN or path.startswith(_STATIC)
        if not is_open and not is_logged_in(self._sessions, headers):
            return _refused(HTTPStatus.UNAUTHORIZED, "log in first: this page asks for its token")
        return None

    async def _wrong_token(self, headers: Headers, client: tuple[str, int] | None) -> SafeJson | None:
        """The refusal of a request that names a token which is not the one; whatever it asks for, it is a guess."""
        if _bearer(headers) is None or is_logged_in(self._sessions, headers):
            return None
        if await self._pace.wrong(None if client is None else client[0]):
            return _refused(HTTPStatus.UNAUTHORIZED, "that was not the token")
        return too_many_wrong()

    def _is_ours(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True  # an address can't be pointed elsewhere as a name can


def is_logged_in(sessions: Sessions, headers: Headers) -> bool:
    """Whether a request comes from somebody who knows the token; True where there is none."""
    if not sessions.asked_for:
        return True
    token = _bearer(headers)
    if token is not None and sessions.is_token(token):
        return True
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return False
    return cookie is not None and sessions.is_good(cookie.value)


def too_many_wrong() -> SafeJson:
    """The answer to a wrong token beyond those that wait."""
    return _refused(HTTPStatus.TOO_MANY_REQUESTS, "many wrong tokens are being tried just now; this one is wrong, too")


def _bearer(headers: Headers) -> str | None:
    """The token that a program sends with a request."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_from_here(headers: Headers) -> bool:
    """Whether a change was asked for by a page of ours, or by a program that is no browser."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == headers.get("host", "").lower()


def _is_login(path: str, status: int) -> bool:
    return path in ("/", "/login") and status in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED)


def _refused(status: HTTPStatus, why: str) -> SafeJson:
    return SafeJson({"error": why}, status_code=status)
