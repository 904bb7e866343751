"""A label's name is anybody's: what hides in it is spelled out wherever the page shows it."""

import json
import time

from playwright.sync_api import expect

from testkit.label_events import label_event
from tests.page.conftest import Open
from tests.page.served import PageProcess, send
from worker.kafka.embedded.broker import EmbeddedBroker

HIDING = "tox\u202eci"
SPELLED = "toxU+202Eci"


def event_of_hiding_label() -> bytes:
    event = label_event("c-1", "a text", at_ms=time.time() * 1000, toxic=0.99, insult=0.99)
    span = {"begin": 0, "end": 1, "utf16_begin": 0, "utf16_end": 1, "share": 1.0}
    reasons = {label: {"spans": [span], "window": None} for label in ("toxic", "insult")}
    event["reasons"] = {"method": "token-head@1", "text_pointer": "/text", "labels": reasons}
    return json.dumps(event).replace('"toxic"', json.dumps(HIDING)).encode()


def test_a_label_whose_name_hides_something_is_spelled_wherever_it_stands(chromium: object, open_page: Open) -> None:
    del chromium
    with EmbeddedBroker({"comments": 1, "comment-labels": 1, "comments.dlq": 1}) as broker:
        send(broker.bootstrap_servers, "comment-labels", [event_of_hiding_label()])
        with PageProcess(broker.bootstrap_servers) as served:
            page = open_page(f"{served.url}#/stream", may_fail=True)  # its end closes the stream
            expect(page.locator("li.event .chip .control").first).to_have_text("U+202E")
            expect(page.get_by_label("Label", exact=True).locator("option", has_text=SPELLED)).to_have_count(1)

            page.get_by_role("link", name="c-1", exact=True).click()
            dialog = page.get_by_role("dialog")
            dialog.get_by_role("button", name="Show text").click()
            button = dialog.locator(".segments button", has=page.locator(".control"))
            button.locator(".control").click()
            expect(button).to_have_attribute("aria-pressed", "true")
            expect(dialog.get_by_role("button", name="all labels")).to_have_attribute("aria-pressed", "false")
            expect(dialog.locator("mark").first).to_have_attribute("title", SPELLED)

            page.goto(f"{served.url}#/scores")
            expect(page.get_by_role("region", name=f"Scores of {SPELLED}")).to_be_visible()
            assert HIDING not in page.inner_text("main")
