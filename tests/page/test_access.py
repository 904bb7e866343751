"""That everybody can use the page: by keyboard, by screen reader, on a small screen, in the dark."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from testkit.label_events import label_event
from tests.page.conftest import WAIT_MS, Open
from tests.page.served import PageProcess, send
from worker.kafka.embedded.broker import EmbeddedBroker

expect.set_options(timeout=WAIT_MS)

VIEWS = {
    "now": "Now",
    "stream": "Stream",
    "scores?label=toxic&draft=toxic:0.3:0.6": "Scores",
    "dead-letters": "Dead letters",
    "health": "Health",
    "shadow": "Shadow",
}
LONG = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"


@pytest.fixture(scope="module")
def url(chromium: object) -> Iterator[str]:
    del chromium
    with EmbeddedBroker({"comments": 1, "comment-labels": 1, "comments.dlq": 1}) as broker:
        events = [label_event(f"c-{number}", toxic=number / 20) for number in range(20)]
        send(broker.bootstrap_servers, "comment-labels", [*events, label_event(LONG, LONG, toxic=0.9), b"not JSON"])
        send(broker.bootstrap_servers, "comments.dlq", [LONG.encode()])
        with PageProcess(broker.bootstrap_servers) as served:
            yield served.url


def settled(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    expect(page.locator("#view .skeleton")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(url: str, open_page: Open, scheme: str) -> None:
    page = open_page(url, scheme=scheme, width=320 if scheme == "dark" else 1280)
    found = {}
    for view, title in VIEWS.items():
        page.goto(f"{url}#/{view}")
        settled(page, title)
        found[title] = serious(page)
    page.goto(f"{url}#/stream?event=comment-labels/0/20")
    page.get_by_role("dialog").get_by_role("button", name="Show text").click()
    expect(page.locator(".comment-text")).to_be_visible()
    found["Event"] = serious(page)

    assert {title: problems for title, problems in found.items() if problems} == {}


def serious(page: Page) -> list[str]:
    results = Axe().run(page, options={"resultTypes": ["violations"]}).response
    assert results["testEngine"]["name"] == "axe-core"
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:200]}"
        for found in results["violations"]
        if found["impact"] in {"serious", "critical", "moderate"}
    ]


@pytest.mark.parametrize("width", [320, 800, 1440])
def test_nothing_is_wider_than_the_screen(url: str, open_page: Open, width: int) -> None:
    page = open_page(url, width=width)
    for view, title in VIEWS.items():
        page.goto(f"{url}#/{view}")
        settled(page, title)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, title
    page.goto(f"{url}#/stream?event=comment-labels/0/20")
    page.get_by_role("dialog").get_by_text("Whole event, as published").click()
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= document.querySelector('dialog').clientWidth")


def test_the_keyboard_reaches_the_content_the_views_and_the_events(url: str, open_page: Open) -> None:
    page = open_page(url)
    settled(page, "Now")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Now", level=1)).to_be_focused()
    assert page.url.endswith(("/", "#/now"))

    page.get_by_role("link", name="Stream").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Stream", level=1)).to_be_focused()
    expect(page.get_by_role("navigation").get_by_role("link", name="Stream")).to_have_attribute("aria-current", "page")
    links = page.locator("li.event .event-open")
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()


def test_it_says_in_words_what_its_drawings_show(url: str, open_page: Open) -> None:
    page = open_page(f"{url}#/scores")
    settled(page, "Scores")
    described = page.get_by_role("img", name="Scores of toxic").get_attribute("aria-label")
    assert described is not None
    assert "review at 0.50" in described
    assert all(drawing.get_attribute("aria-label") for drawing in page.locator("main svg").all())


def test_what_a_screen_reader_is_told_unasked_is_little(url: str, open_page: Open) -> None:
    page = open_page(f"{url}#/stream")
    settled(page, "Stream")
    live = page.locator("[aria-live], [role=status], [role=alert], [role=log]")
    assert all(place.evaluate("place => !place.querySelector('li')") for place in live.all())
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#announcements")).to_have_text("Paused")
