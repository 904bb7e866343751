"""The page when there is nothing to show, when brokers or the server are away, and when a token is asked for."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from testkit.kafka import free_ports
from testkit.label_events import label_event
from tests.page.conftest import WAIT_MS, Open
from tests.page.served import PageProcess, send
from worker.kafka.embedded.broker import EmbeddedBroker

expect.set_options(timeout=WAIT_MS)

TOKEN = "a token of sixteen or more"


def own_address() -> str | None:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # names the interface; nothing is sent
        except OSError:
            return None
        address = str(asked.getsockname()[0])
    return None if address.startswith(("127.", "0.")) else address


@pytest.fixture(scope="module")
def empty(chromium: object) -> Iterator[EmbeddedBroker]:
    del chromium
    with EmbeddedBroker({"comments": 1, "comment-labels": 1, "comments.dlq": 1}) as broker:
        yield broker


def test_a_stream_that_has_not_begun_is_explained_in_every_view(empty: EmbeddedBroker, open_page: Open) -> None:
    with PageProcess(empty.bootstrap_servers) as served:
        page = open_page(served.url, may_fail=True)
        expect(page.locator("#view .skeleton")).to_have_count(0)
        expect(page.get_by_text("comments/0")).to_be_visible()
        for view, words in {
            "stream": "No label events in comment-labels yet.",
            "scores": "No scores yet.",
            "dead-letters": "No dead letters.",
            "shadow": "No candidate is being compared.",
        }.items():
            page.goto(f"{served.url}#/{view}")
            expect(page.get_by_text(words)).to_be_visible()
        page.goto(f"{served.url}#/dead-letters")
        expect(page.get_by_text("This page only reads.")).to_be_visible()

        page.goto(f"{served.url}#/stream")
        expect(page.get_by_text("No label events in comment-labels yet.")).to_be_visible()
        send(empty.bootstrap_servers, "comment-labels", [label_event("first-1")])
        expect(page.locator("li.event", has_text="first-1")).to_be_visible()
        page.get_by_label("Label", exact=True).select_option("toxic")  # the first event has named the labels


def test_a_server_that_went_away_is_noticed_and_so_is_its_return(empty: EmbeddedBroker, open_page: Open) -> None:
    (port,) = free_ports(1)
    with PageProcess(empty.bootstrap_servers, {"page.port": port}) as served:
        page = open_page(served.url, may_fail=True)
        expect(page.locator("#view .skeleton")).to_have_count(0)
        served.kill()
    expect(page.get_by_text("The page's server does not answer; trying again.")).to_be_visible()
    assert page.title().startswith("No connection")

    with PageProcess(empty.bootstrap_servers, {"page.port": port}) as served:
        assert str(port) in served.url
        expect(page.get_by_text("The page's server does not answer")).to_have_count(0)


def test_a_token_is_asked_for_and_a_wrong_one_refused(empty: EmbeddedBroker, open_page: Open) -> None:
    with PageProcess(empty.bootstrap_servers, {"page.token": TOKEN}) as served:
        page = open_page(served.url, may_fail=True)
        page.get_by_label("Token").fill("a wrong one, as long as it")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("That was not the token.")).to_be_visible()

        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
        expect(page.get_by_role("link", name="Dead letters")).to_be_visible()
        assert TOKEN not in page.content() + page.url

        page.context.clear_cookies()
        page.get_by_role("link", name="Stream").click()
        expect(page.get_by_text("Your session has ended.")).to_be_visible()
        page.get_by_role("link", name="Log in again").click()
        expect(page.get_by_label("Token")).to_be_visible()


def test_a_reader_on_another_machine_logs_in_over_plain_http(empty: EmbeddedBroker, open_page: Open) -> None:
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address beyond loopback by which a browser could reach the page")
    with PageProcess(empty.bootstrap_servers, {"page.host": address, "page.token": TOKEN}) as served:
        page = open_page(served.url, may_fail=True)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
        assert not page.context.cookies()[0].get("secure")


def test_a_broker_that_stops_answering_is_reported_and_so_is_its_return(chromium: object, open_page: Open) -> None:
    del chromium
    with EmbeddedBroker({"comments": 1, "comment-labels": 1, "comments.dlq": 1}) as broker:
        send(broker.bootstrap_servers, "comment-labels", [label_event("c-1")])
        with PageProcess(broker.bootstrap_servers) as served:
            page = open_page(f"{served.url}#/health", may_fail=True)
            first = page.locator("li.check").first
            expect(first).to_contain_text("Ok")
            process = broker._process
            os.kill(process.pid, signal.SIGSTOP)
            try:
                expect(first).to_contain_text("Failed")
                expect(first).to_contain_text("What to do:")
                page.goto(f"{served.url}#/stream")
                expect(page.locator("li.event", has_text="c-1")).to_be_visible()  # what it knew, it still knows
            finally:
                os.kill(process.pid, signal.SIGCONT)
            page.goto(f"{served.url}#/health")
            expect(first).to_contain_text("Ok")
