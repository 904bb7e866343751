"""A page without a broker, fed by hand."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from testkit.label_events import event_record
from worker.page.app import make_app
from worker.page.parts import Parts, make_parts
from worker.page.tail import Read
from worker.settings import Settings

NOBODY = "127.0.0.1:1"


class FedPage:
    """A page, and what its followers would have read."""

    def __init__(self, static: Path, **page: Any) -> None:
        self.parts: Parts = make_parts(Settings(kafka={"bootstrap_servers": NOBODY}, page=page))
        self.app = make_app(self.parts, static)
        self._offset = 0

    def client(self, base_url: str = "http://127.0.0.1:8090", **headers: str) -> TestClient:
        """A browser or a program that asks the page; nothing is started."""
        return TestClient(self.app, base_url=base_url, headers=headers, follow_redirects=False)

    def feed(self, *events: Any, passed_over: int = 0) -> None:
        """Let the page read these events."""
        records = []
        for event in events:
            records.append(event_record(event, offset=self._offset))
            self._offset += 1
        self.parts.output.take(Read(records, passed_over))

    def feed_letters(self, *records: Any, passed_over: int = 0) -> None:
        """Let the page read these dead letters."""
        self.parts.dead_letters.take(Read(list(records), passed_over))


MakePage = Callable[..., FedPage]


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Two pages that can be told apart."""
    (tmp_path / "index.html").write_text("<title>the page</title>")
    (tmp_path / "login.html").write_text("<title>log in</title>")
    (tmp_path / "app.js").write_text("export {}")
    return tmp_path


@pytest.fixture
def make_page(static: Path) -> MakePage:
    def make(**page: Any) -> FedPage:
        return FedPage(static, **page)

    return make


@pytest.fixture
def page(make_page: MakePage) -> FedPage:
    """A page on loopback, read-only."""
    return make_page()


@pytest.fixture
def now_ms() -> float:
    """The time, for events of now."""
    return time.time() * 1000
