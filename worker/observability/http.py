"""The server of `/livez`, `/readyz` and `/metrics`, on a thread of its own."""

import json
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Self

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from worker.errors import SettingsInvalid
from worker.observability.health import Health, Verdict
from worker.settings import HttpSettings

POLL_SECONDS = 0.1

log = structlog.get_logger(__name__)


class ObservabilityServer:
    """Answers probes and scrapes while it is open.

    `/livez` and `/readyz` answer 200 or 503 with `{"ok": ..., "reasons": [...]}`; `/metrics` answers in the Prometheus
    text format, or in OpenMetrics where the scraper asks for it. It serves from daemon threads: a hanging scrape never
    keeps the worker from ending.

    Args:
        host: Address to listen on, IPv4, IPv6 or a name.
        port: Port to listen on; 0 takes a free one, which `port` then tells.
        health: Asked at every probe.
        registry: Read at every scrape.

    Raises:
        SettingsInvalid: The address can't be listened on.
    """

    def __init__(self, host: str, port: int, health: Health, registry: CollectorRegistry) -> None:
        try:
            self._server = _Server(host, port, health, registry)
        except OSError as fault:
            message = (
                f"cannot listen on {host}:{port} for health and metrics: {fault.strerror or fault}. "
                "Set http.host and http.port to a free address, or http.port to 0 to open none."
            )
            raise SettingsInvalid(message) from fault
        self._thread = Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="observability-http", daemon=True
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, health: Health, registry: CollectorRegistry) -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        self.health = health
        self.registry = registry
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are, as HTTPServer would: where none answers, that takes seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        fault = sys.exception()
        if not isinstance(fault, OSError):  # a client that went away is no event
            log.error("a probe or a scrape failed", exc_info=fault)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10.0  # seconds a client may take to send its request
    server_version = "sluice"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.split("?", 1)[0]
        if path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._answer(HTTPStatus.OK, content_type, encode(self.server.registry))
        elif path == "/livez":
            self._judge(self.server.health.live())
        elif path == "/readyz":
            self._judge(self.server.health.ready())
        else:
            reasons = ["no such page; there are /livez, /readyz and /metrics"]
            self._answer_json(HTTPStatus.NOT_FOUND, ok=False, reasons=reasons)

    do_HEAD = do_GET  # noqa: N815 - the name http.server calls

    def _judge(self, verdict: Verdict) -> None:
        status = HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer_json(status, ok=verdict.ok, reasons=list(verdict.reasons))

    def _answer_json(self, status: HTTPStatus, *, ok: bool, reasons: list[str]) -> None:
        body = json.dumps({"ok": ok, "reasons": reasons}).encode() + b"\n"
        self._answer(status, "application/json", body)

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """A probe every few seconds is not worth a line."""
