"""Each view of the page, before a running worker: what a moderator and an operator see and do there."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from testkit.kafka import eventually, free_ports
from testkit.label_events import label_event
from testkit.topic_reader import read_to_end
from testkit.workers import WorkerProcess
from tests.page.conftest import WAIT_MS, Open
from tests.page.served import PageProcess, send
from worker.kafka.embedded.broker import EmbeddedBroker, embedded_properties
from worker.settings import GroupProtocol
from worker.thresholds.set_file import read_set

expect.set_options(timeout=WAIT_MS)

UNSEEN = "nobody has asked to see this yet"
BAD = b'{"id": "b-1", "text": "cut o'


@dataclass
class Stream:
    """A running stream and its page."""

    servers: str
    url: str


@pytest.fixture(scope="module")
def stream(chromium: object) -> Iterator[Stream]:
    del chromium  # without one, nothing is started
    (port,) = free_ports(1)
    topics = {"comments": 3, "comment-labels": 3, "comments.dlq": 1}
    protocol = GroupProtocol.CONSUMER
    with EmbeddedBroker(topics) as broker:
        servers = broker.bootstrap_servers
        for number in range(30):
            text = f"you stupid jerk {number}" if number % 3 == 0 else f"{UNSEEN} {number}"
            send(servers, "comments", [{"id": f"c-{number}", "text": text}], number % 3)
        send(servers, "comments", [BAD, BAD, BAD])
        settings = {
            "kafka.group_protocol": protocol.value,
            "kafka.properties": json.dumps(embedded_properties(protocol)),
            "http.port": port,
            "http.host": "127.0.0.1",
        }
        page_settings = {**settings, "page.workers": f"http://127.0.0.1:{port}"}
        del page_settings["http.port"], page_settings["http.host"]
        with (
            WorkerProcess(servers, settings) as worker,
            PageProcess(servers, page_settings, "--allow-replay") as served,
        ):
            assert eventually(lambda: len(read_to_end(servers, "comments.dlq")) == 3, 120), worker.log
            yield Stream(servers, served.url)


def event_now(comment_id: str, text: str | None = "a text", **scores: float) -> dict[str, Any]:
    """A label event that was made just now: the newest are what the stream shows."""
    return label_event(comment_id, text, at_ms=time.time() * 1000, **scores)


def events_of(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("li.event .event-open").all_inner_texts()]


def test_now_shows_every_figure_or_says_why_not(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url)

    expect(page.locator(".figure .skeleton")).to_have_count(0)
    expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
    for figure in page.locator(".figure").all():
        value, note = figure.locator(".figure-value").inner_text(), figure.locator(".figure-note").inner_text()
        assert value
        assert note
    expect(page.get_by_role("img", name="comments")).to_be_visible()
    expect(page.get_by_text("keywords", exact=True)).to_be_visible()
    expect(page.get_by_text("default@1")).to_be_visible()
    expect(page.get_by_text("Europe/Berlin (UTC+")).to_be_visible()


def test_texts_are_not_even_in_the_browser_before_they_are_asked_for(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/stream")
    expect(page.locator("li.event").first).to_be_visible()
    assert UNSEEN not in page.content()

    page.locator("li.event", has_text="c-1").get_by_role("button", name="Show the text of c-1", exact=True).click()
    expect(page.get_by_text(UNSEEN)).to_have_count(1)

    page.get_by_role("button", name="Show texts").click()
    expect(page.get_by_text(f"{UNSEEN} 2", exact=True)).to_be_visible()
    page.get_by_role("button", name="Hide texts").click()
    expect(page.get_by_text(UNSEEN)).to_have_count(0)


def test_a_filter_is_in_the_address_and_so_in_a_link_to_it(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/stream")
    expect(page.get_by_role("link", name="c-1", exact=True)).to_be_visible()

    page.get_by_label("Label", exact=True).select_option("toxic")
    expect(page.get_by_role("link", name="c-1", exact=True)).to_have_count(0)
    assert "label=toxic" in page.url
    page.get_by_label("Partition").fill("0")
    page.get_by_label("Partition").press("Enter")
    expect(page.locator("li.event").first).to_contain_text("comments/0/")

    other = open_page(page.url)
    expect(other.locator("li.event").first).to_contain_text("toxic")
    expect(other.get_by_label("Partition")).to_have_value("0")
    other.get_by_role("button", name="Clear filters").click()
    expect(other.get_by_role("link", name="c-1", exact=True)).to_be_visible()
    assert "label" not in other.url


def test_a_paused_stream_stands_still_and_counts_what_comes(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/stream?language=xx")
    expect(page.get_by_text("No event matches these filters.")).to_be_visible()
    page.get_by_role("button", name="Pause").click()

    event = event_now("late-1") | {"language": {"detected": "xx", "reliable": True, "supported": True}}
    send(stream.servers, "comment-labels", [event])
    expect(page.get_by_text("1 new since.")).to_be_visible()
    expect(page.locator("li.event")).to_have_count(0)

    page.get_by_role("button", name="Resume").click()
    expect(page.locator("li.event", has_text="late-1")).to_be_visible()


def test_the_list_does_not_move_under_the_pointer(stream: Stream, open_page: Open) -> None:
    event = event_now("still-1") | {"language": {"detected": "yy", "reliable": True, "supported": True}}
    send(stream.servers, "comment-labels", [event])
    page = open_page(stream.url + "#/stream?language=yy")
    page.locator("li.event").first.hover()

    send(stream.servers, "comment-labels", [event | {"comment_id": {"value": "still-2", "source": "field"}}])
    expect(page.get_by_text("1 new; the list is still while you read.")).to_be_visible()
    assert events_of(page) == ["still-1"]

    page.mouse.move(5, 5)
    expect(page.locator("li.event")).to_have_count(2)
    assert events_of(page) == ["still-2", "still-1"]


def test_an_event_shows_its_words_marked_its_scores_and_where_it_is_from(stream: Stream, open_page: Open) -> None:
    text = "\U0001f600 so \U0001f600 stupid"
    begin, utf16_begin = text.index("stupid"), text.index("stupid") + 2
    span = {"begin": begin, "end": begin + 6, "utf16_begin": utf16_begin, "utf16_end": utf16_begin + 6, "share": 1.0}
    reasons = {
        "method": "leave-out@1",
        "text_pointer": "/text",
        "labels": {"toxic": {"spans": [span], "window": None}},
    }
    send(stream.servers, "comment-labels", [event_now("marked-1", text, toxic=0.9) | {"reasons": reasons}], 1)
    page = open_page(stream.url + "#/stream?label=toxic")
    row = page.locator("li.event", has_text="marked-1")
    row.get_by_role("link").focus()
    page.keyboard.press("Enter")

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Comment marked-1")).to_be_focused()
    assert "stupid" not in page.content()
    dialog.get_by_role("button", name="Show text").click()
    expect(dialog.locator("mark")).to_have_text("stupid")
    expect(dialog.get_by_role("row", name="toxic 0.90")).to_contain_text("review from 0.50, act from 0.80")
    expect(dialog.get_by_role("row", name="insult 0.10")).to_contain_text("never acted on")
    expect(dialog.get_by_text("a-model 1, float32")).to_be_visible()
    dialog.get_by_text("Whole event, as published").click()
    assert json.loads(dialog.locator("pre").inner_text())["id"] == "event-marked-1"

    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row.get_by_role("link")).to_be_focused()
    assert "event=" not in page.url


def test_thresholds_that_were_tried_are_a_set_that_a_worker_takes(
    stream: Stream, open_page: Open, tmp_path: Path
) -> None:
    scored = [event_now(f"scored-{number}", toxic=0.3 + number / 100) for number in range(40)]
    send(stream.servers, "comment-labels", scored, 2)
    page = open_page(stream.url + "#/stream")
    expect(page.locator("li.event", has_text="scored-39")).to_be_visible()
    page.get_by_role("link", name="Scores").click()
    card = page.get_by_role("region", name="Scores of toxic")
    expect(card.get_by_role("img", name="Scores of toxic")).to_be_visible()

    card.get_by_role("button", name="What if").click()
    page.get_by_label("Review from, toxic, exactly").fill("0.6")
    page.get_by_label("Review from, toxic, exactly").press("Enter")
    expect(page.get_by_text("no longer reviewed").first).to_be_visible()
    expect(page.get_by_role("row", name="Reviewed or acted on")).to_contain_text("points")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download threshold set").click()
    path = tmp_path / "set.json"
    downloading.value.save_as(path)

    tried = read_set(path)
    assert tried.labels["toxic"].review == 0.6
    assert tried.labels["toxic"].act == 0.8
    assert tried.labels["insult"].review == 0.4
    assert tried.model is not None
    assert "draft=toxic" in page.url


def test_a_group_is_replayed_after_its_count_was_shown(stream: Stream, open_page: Open) -> None:
    before = len(read_to_end(stream.servers, "comments"))
    page = open_page(stream.url + "#/dead-letters")
    group = page.locator("li.group", has_text="InvalidJson")
    expect(group).to_contain_text("3 letters")
    assert "cut o" not in page.content()
    page.get_by_role("button", name="Show samples").click()
    expect(group.locator("pre")).to_contain_text("cut o")

    group.get_by_role("button", name="Show letters").click()
    expect(group.locator("tbody tr")).to_have_count(3)
    group.get_by_role("button", name="Replay …", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 letters would go back")
    dialog.get_by_label("At most").fill("2")
    assert len(read_to_end(stream.servers, "comments")) == before
    dialog.get_by_role("button", name="Send 2 letters back").click()

    expect(page.get_by_role("region", name="Replays")).to_contain_text("2 of ")
    expect(page.get_by_role("region", name="Replays")).to_contain_text("Done")
    expect(page.get_by_label("What happened, newest first").locator("li").first).to_be_visible()
    assert [record.value() for record in read_to_end(stream.servers, "comments")].count(BAD) == 5
    expect(group).to_contain_text("5 letters")  # what is broken fails again, one replay older
    expect(group.locator("tbody tr").first.locator("td").nth(2)).to_have_text("1")


def test_health_is_a_chain_whose_first_broken_link_says_what_to_do(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/health")
    checks = page.locator("li.check")
    expect(checks).to_have_count(7)
    expect(checks.first).to_contain_text("Ok")
    states = [check.locator(".badge").inner_text() for check in checks.all()]
    if "Failed" in states:
        assert set(states[states.index("Failed") + 1 :]) <= {"Waits"}
        expect(page.locator("li.check-failed")).to_contain_text("What to do:")


def test_shadow_says_why_it_is_off(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/shadow")
    expect(page.get_by_text("No candidate is being compared.")).to_be_visible()
    expect(page.get_by_text("shadow.model.id")).to_be_visible()


def test_a_hostile_text_stays_text(stream: Stream, open_page: Open) -> None:
    script = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    lone = json.dumps(event_now("hostile-3", "half \ud83d of a pair")).encode()
    hostile: list[bytes | dict[str, Any]] = [
        event_now(f"hostile-1 {script}", script),
        event_now("hostile-2", "abc \u202egnp.exe\u202c \u200b\u0007 end"),
        lone,
        event_now("hostile-4", "long " * 200_000),
        {"schema_version": "9.7", "id": "x", "labels": script},
        b"\x00\xff not JSON",
    ]
    send(stream.servers, "comment-labels", hostile)
    page = open_page(stream.url + "#/stream")
    page.get_by_role("button", name="Show texts").click()

    expect(page.locator("li.event p", has_text="<script>window.hacked")).to_be_visible()
    bidi = page.locator("li.event", has_text="hostile-2")
    expect(bidi.locator(".control").first).to_have_text("U+202E")
    assert "\u202e" not in bidi.inner_text()
    expect(page.locator("li.event", has_text="Not read")).to_have_count(3 if lone_is_refused(page) else 2)
    page.locator("li.event", has_text="hostile-4").get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="characters after this: show all")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img, dialog script, dialog img").count() == 0


def test_what_hides_is_shown_by_its_number_outside_texts_too(stream: Stream, open_page: Open) -> None:
    event = event_now("hidden-1\u3164\u2028\ue000", "words")
    event["text"]["extra"] = "\u202egnp.exe\u115f\u034f"
    send(stream.servers, "comment-labels", [event])
    page = open_page(stream.url + "#/stream")
    row = page.locator("li.event", has_text="hidden-1")
    expect(row.locator(".control")).to_have_text(["U+3164", "U+2028", "U+E000"])
    row.get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#event-title .control").first).to_have_text("U+3164")
    dialog.get_by_text("Whole event, as published").click()
    expect(dialog.locator("pre .control", has_text="U+202E")).to_have_count(1)
    assert "\u202e" not in dialog.inner_text()


def test_names_that_every_object_has_are_no_views_and_no_thresholds(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/constructor")
    expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
    page.goto(stream.url + "#/scores?span=constructor&draft=toxic:0.4:0.9")
    expect(page.get_by_role("heading", name="Scores", level=1)).to_be_visible()
    expect(page.get_by_text("1 label changed")).to_be_visible()
    found = page.evaluate("import('./static/draft.js').then(({draftOf}) => [draftOf('').constructor ?? null])")
    assert found == [None]


def test_an_address_that_was_cut_off_is_read_as_far_as_it_goes(stream: Stream, open_page: Open) -> None:
    page = open_page(stream.url + "#/%")
    expect(page.get_by_role("heading", name="Now", level=1)).to_be_visible()
    page.goto(stream.url + "#/scores?draft=tox%25E:0.4:0.9,toxic:0.4:0.9")
    expect(page.get_by_text("1 label changed")).to_be_visible()


def lone_is_refused(page: Page) -> bool:
    """JSON of half a surrogate pair is no valid JSON to a strict reader; it then stands there as not read."""
    return page.locator("li.event", has_text="hostile-3").count() == 0
