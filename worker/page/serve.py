"""Runs the page until it is stopped."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from worker.errors import SettingsInvalid
from worker.page.api import static_folder
from worker.page.app import make_app
from worker.page.parts import make_parts
from worker.settings import Settings

_BACKLOG = 64
_MOST_AT_ONCE = 200
_LEAVE_SECONDS = 2

log = structlog.stdlib.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve the page until SIGINT or SIGTERM.

    Raises:
        SettingsInvalid: A setting is wrong, or the address can't be listened on.
    """
    app = make_app(make_parts(settings), static_folder())
    listening = _listen(settings.page.host, settings.page.port)
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"the page is at http://{shown}:{port}/ (Ctrl-C ends it)\n")
    log.info("the page is open", host=host, port=port, can_replay=settings.page.allow_replay)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_LEAVE_SECONDS,
        lifespan="on",
        ws="none",
        proxy_headers=False,
    )
    with _signals_end_it_normally():
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def _signals_end_it_normally() -> Iterator[None]:
    """Uvicorn raises the signal that stopped it once more, to the handler that was there before: that is this one."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        message = (
            f"cannot listen on {host}:{port} for the page: {error.strerror or error}. Set page.host and page.port to a "
            "free address"
        )
        raise SettingsInvalid(message) from None
    return listening
