"""The server of `/livez`, `/readyz` and `/metrics`, on a thread of its own."""

import json
import socket
import sys
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import TCPServer
from threading import Thread
from typing import Self
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from worker.errors import SettingsInvalid
from worker.observability.health import Health
from worker.settings import HttpSettings

_POLL_SECONDS = 0.1

log = structlog.get_logger(__name__)


class ObservabilityServer:
    """Answers probes and scrapes while it is open.

    `/livez` and `/readyz` answer 200 or 503 with `{"ok": ..., "reasons": [...]}`; `/metrics` answers in the Prometheus
    text format, in OpenMetrics where the scraper asks for it, and compressed where it accepts that. It serves from
    daemon threads: a hanging scrape never keeps the worker from ending.

    Args:
        host: Address to listen on, IPv4, IPv6 or a name.
        port: Port to listen on; 0 for any free one; read it from `port`.
        health: Asked at every probe.
        registry: Read at every scrape.

    Raises:
        SettingsInvalid: The address can't be listened on.
    """

    def __init__(self, host: str, port: int, health: Health, registry: CollectorRegistry) -> None:
        try:
            self._server = _Server(host, port, _Application(health, registry))
        except OSError as error:
            message = (
                f"cannot listen on {host}:{port} for health and metrics: {error.strerror or error}. "
                "Set http.host and http.port to a free address, or http.port to 0 to open none."
            )
            raise SettingsInvalid(message) from error
        self._thread = Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="observability-http", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """Port that is listened on."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Close the port. Safe to call twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(settings: HttpSettings, health: Health, registry: CollectorRegistry) -> ObservabilityServer | None:
    """Open the server the settings ask for; None when `http.port` is 0.

    Raises:
        SettingsInvalid: The address can't be listened on.
    """
    if settings.port == 0:
        return None
    return ObservabilityServer(settings.host, settings.port, health, registry)


class _Application:
    """The pages, as a WSGI application; `/metrics` is prometheus_client's own (formats, gzip, `name[]`)."""

    def __init__(self, health: Health, registry: CollectorRegistry) -> None:
        self._health = health
        self._metrics: WSGIApplication = make_wsgi_app(registry)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]]) -> object:
            return start_response(status, [*headers, *_HEADERS])

        method = environ["REQUEST_METHOD"]
        if method not in {"GET", "HEAD"}:
            return _answer(start, HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are supported")
        environ["REQUEST_METHOD"] = "GET"
        body = self._page(environ, start)
        return body if method == "GET" else []

    def _page(self, environ: WSGIEnvironment, start: "_Start") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            try:
                return self._metrics(environ, start)  # type: ignore[arg-type] # it passes no third argument
            except Exception:
                log.exception("a scrape failed")
                return _answer(start, HTTPStatus.INTERNAL_SERVER_ERROR, "the worker's log has the error")
        if path not in {"/livez", "/readyz"}:
            return _answer(start, HTTPStatus.NOT_FOUND, "no such page; there are /livez, /readyz and /metrics")
        verdict = self._health.live() if path == "/livez" else self._health.ready()
        return _answer(start, HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE, *verdict.reasons)


_Start = Callable[[str, list[tuple[str, str]]], object]
_HEADERS = (("Cache-Control", "no-store"), ("Server", "sluice"))


def _answer(start: _Start, status: HTTPStatus, *reasons: str) -> Iterable[bytes]:
    body = json.dumps({"ok": status is HTTPStatus.OK, "reasons": reasons}).encode() + b"\n"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, HEAD"))
    start(f"{status.value} {status.phrase}", headers)
    return [body]


class _Server(ThreadingWSGIServer):
    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """Bind without the DNS lookup that HTTPServer makes: it takes seconds if no name server answers."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        error = sys.exception()
        if not isinstance(error, OSError):  # a client that went away is no event
            log.error("a request failed", exc_info=error)


class _Handler(WSGIRequestHandler):
    timeout = 10.0  # seconds a client may take to send its request

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """A probe every few seconds is not worth a line."""
