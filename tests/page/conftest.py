"""One Chromium for all of these tests, and for each a page that is watched: for errors, and for what it asks of whom.

A machine without a Chromium skips them, and says so. On one that has it nothing is skipped: a browser that does not
start fails the tests.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from testkit.kafka import kafka

__all__ = ["kafka"]

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WAIT_MS = 60_000  # a machine that is busy with other tests is slow, not wrong

_OF_PLAIN_HTTP = "Cross-Origin-Opener-Policy header has been ignored"
"""What Chromium says of a page over plain HTTP from another machine; the header is for those behind TLS."""

Open = Callable[..., Page]


def find_chromium() -> str | None:
    """The installed Chromium: what `SLUICE_TEST_CHROMIUM` names, or the first that is on the path."""
    return os.environ.get("SLUICE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="package")  # not longer: Playwright's event loop, as long as it runs, is in the way of others
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium is installed (none of {', '.join(NAMES)} is on the path): apt-get install chromium")
    with sync_playwright() as playwright:
        # Its own sandbox does not work for root, as containers run tests; what it is shown here is ours alone.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens an address as a new reader; keywords: `width`, `scheme`, `may_fail` (the server will be away)."""
    problems: list[str] = []
    contexts = []

    def open_one(url: str, *, width: int = 1280, scheme: str = "light", may_fail: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        ours = urlsplit(url).netloc

        def said(message: ConsoleMessage) -> None:
            expected = ("Failed to load resource" in message.text and may_fail) or _OF_PLAIN_HTTP in message.text
            if message.type == "error" and not expected:
                problems.append(message.text)

        def asked(request: Request) -> None:
            if urlsplit(request.url).netloc != ours and not request.url.startswith("blob:"):
                problems.append(f"asked {request.url}")

        page.on("console", said)
        page.on("request", asked)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not problems
