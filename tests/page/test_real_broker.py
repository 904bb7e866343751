"""The page before a real broker: what the embedded one cannot say, who is in the group and what they hold."""

import pytest
from playwright.sync_api import expect

from testkit.kafka import Kafka, eventually
from testkit.topic_reader import read_to_end
from testkit.workers import WorkerProcess
from tests.page.conftest import WAIT_MS, Open
from tests.page.served import PageProcess, send

expect.set_options(timeout=WAIT_MS)

BAD = b'{"id": "b-1", "text": "cut o'


@pytest.mark.kafka
def test_a_worker_comes_labels_goes_and_the_page_follows(chromium: object, kafka: Kafka, open_page: Open) -> None:
    del chromium
    servers = kafka.bootstrap_servers
    names = {"input.topic": "page-in", "output.topic": "page-out", "dead_letters.topic": "page-dlq"}
    settings = {**names, "kafka.group_id": "page-group", "input.start": "earliest"}
    for topic, partitions in (("page-in", 3), ("page-out", 3), ("page-dlq", 1)):
        kafka.create_topic(topic, partitions)
    for number in range(12):
        send(servers, "page-in", [{"id": f"c-{number}", "text": "a stupid jerk"}], number % 3)
    send(servers, "page-in", [BAD])

    with PageProcess(servers, settings, "--allow-replay") as served:
        page = open_page(f"{served.url}#/health", may_fail=True)
        failed = page.locator("li.check-failed")
        expect(failed).to_contain_text("A worker is in the group")
        expect(failed).to_contain_text("sluice run")
        page.get_by_role("link", name="Now").click()
        expect(page.get_by_text("No worker is in the group page-group.")).to_be_visible()
        expect(page.locator(".figure", has_text="Waiting").locator(".figure-value")).to_have_text("13")

        with WorkerProcess(servers, settings) as worker:
            expect(page.get_by_text("page-in 0\u20132")).to_be_visible()
            expect(page.locator(".figure", has_text="Waiting").locator(".figure-value")).to_have_text("0")
            page.get_by_role("link", name="Stream").click()
            expect(page.locator("li.event")).to_have_count(12)
            page.goto(f"{served.url}#/stream?topic=page-in&partition=2&label=toxic")
            expect(page.locator("li.event")).to_have_count(4)

            page.get_by_role("link", name="Dead letters").click()
            page.locator("li.group").get_by_role("button", name="Replay …").click()
            page.get_by_role("button", name="Send 1 letter back").click()
            expect(page.get_by_role("region", name="Replays")).to_contain_text("Done")
            assert eventually(lambda: len(read_to_end(servers, "page-dlq")) == 2), worker.log

            page.get_by_role("link", name="Scores").click()
            expect(page.get_by_role("img", name="Scores of toxic")).to_be_visible()
            page.get_by_role("link", name="Shadow").click()
            expect(page.get_by_text("No candidate is being compared.")).to_be_visible()
            page.get_by_role("link", name="Health").click()
            expect(page.locator("li.check", has_text="Every partition has a worker")).to_contain_text("Ok")
            assert worker.terminate() == 0
        expect(failed).to_contain_text("A worker is in the group")
