"""The page shows what is in the topics, changes nothing unless it is told to, and stays up whatever goes away."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from starlette.testclient import TestClient

from testkit.child_process import Child
from testkit.kafka import eventually, free_ports
from testkit.label_events import label_event
from testkit.topic_reader import read_to_end
from testkit.workers import environment_of
from tests.contract.backend import PARTITIONS
from tests.contract.group import Group
from worker.kafka.embedded.broker import EmbeddedBroker
from worker.page.app import make_app
from worker.page.parts import make_parts
from worker.settings import Settings
from worker.types import Assignment, Outcome, Record, Rejected, Stage

EACH = 3


@contextmanager
def running(settings: Settings, **page: Any) -> Iterator[TestClient]:
    """A client of a page that follows the topics, with these settings of the page."""
    given = settings.model_copy(update={"page": settings.page.model_copy(update=page)})
    app = make_app(make_parts(given), Path("no static files"))
    with TestClient(app, base_url="http://127.0.0.1:8090") as client:
        yield client


def get(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def publish(servers: str, topic: str, events: list[dict[str, Any]], partitions: int = PARTITIONS) -> None:
    producer = Producer({"bootstrap.servers": servers})
    for number, event in enumerate(events):
        producer.produce(topic, json.dumps(event).encode(), partition=number % partitions)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(60) == 0


def state(client: TestClient, check: str) -> str:
    checks: list[dict[str, str]] = get(client, "health")["checks"]
    return next(one["state"] for one in checks if one["id"] == check)


def reject(record: Record, assignment: Assignment) -> Outcome:
    error = "InvalidJson" if record.offset() == 0 else "TextMissing"
    return Rejected(record, assignment, Stage.DECODE, error, "a reason")


def test_what_is_in_the_topics_is_shown(group: Group) -> None:
    now = time.time() * 1000
    publish(
        group.backend.bootstrap_servers,
        group.output,
        [label_event(f"c-{n}", text=f"text {n}", at_ms=now - n, toxic=0.9 if n == 0 else 0.1) for n in range(20)],
    )
    group.fill(EACH)
    places = group.places()
    with running(group.settings()) as client:
        assert eventually(lambda: get(client, "page")["sampled"]["seen"] == 20)
        assert get(client, "page")["labels"] == ["toxic", "insult"]
        (flagged,) = get(client, "events?tier=act")["events"]
        detail = get(client, f"events/{flagged['key']}?text=1")
        assert (detail["text"], detail["scores"][0]) == (
            "text 0",
            {"label": "toxic", "score": 0.9, "review": 0.5, "act": 0.8},
        )
        assert "text 0" not in json.dumps(get(client, f"events/{flagged['key']}"))
        assert client.get(f"/api/events/{group.output}/0/999").status_code == 404
        assert eventually(lambda: get(client, "now")["lag"]["total"] == EACH * PARTITIONS)
        assert eventually(lambda: isinstance(get(client, "now")["oldest_unscored_seconds"], float))
        assert (state(client, "broker"), state(client, "topics")) == ("ok", "ok")
    assert group.places() == places, "it commits nothing"


def test_who_is_in_the_group_is_shown_and_what_it_has_settled(real_group: Group) -> None:
    real_group.fill(EACH)
    with running(real_group.settings()) as client:
        assert eventually(lambda: state(client, "group") == "failed")
        assert {check["state"] for check in get(client, "health")["checks"][3:]} == {"waiting"}
        member = real_group.join()
        member.consume(EACH * PARTITIONS)
        assert eventually(lambda: (state(client, "group"), state(client, "assigned")) == ("ok", "ok"))
        assert eventually(lambda: get(client, "now")["lag"]["total"] == 0)
        now = get(client, "now")
        (found,) = now["members"]
        assert len(found["partitions"]) == PARTITIONS
        assert {row["member"] for row in now["lag"]["partitions"]} == {found["id"]}
        assert (state(client, "commits"), state(client, "lag")) == ("ok", "ok")


@pytest.fixture
def rejected(group: Group) -> Group:
    """A group that has rejected every record of its topic."""
    group.fill(EACH)
    member = group.join(judge=reject)
    member.consume(EACH * PARTITIONS)
    member.close()
    return group


def returned(group: Group) -> int:
    """How many records were sent back."""
    return len(read_to_end(group.backend.bootstrap_servers, group.input)) - EACH * PARTITIONS


def test_a_group_of_letters_is_counted_and_sent_back_once(rejected: Group) -> None:
    with running(rejected.settings(), allow_replay=True) as client:
        assert eventually(
            lambda: sum(one["count"] for one in get(client, "dead-letters")["groups"]) == EACH * PARTITIONS
        )
        (chosen,) = [one for one in get(client, "dead-letters")["groups"] if one["error"] == "InvalidJson"]
        count = get(client, f"replay?group={chosen['id']}")
        assert (count["count"], count["can_replay"]) == (PARTITIONS, True)
        wanted = {"group": chosen["id"], "rate": 50, "limit": 1, "count": count["count"]}
        assert client.post("/api/replay", json=wanted).status_code == 202
        assert eventually(lambda: get(client, "replays")[0]["state"] == "done")
        assert returned(rejected) == 1
        assert get(client, f"replay?group={chosen['id']}")["count"] == PARTITIONS - 1
        wanted |= {"limit": 100, "count": PARTITIONS - 1}
        assert client.post("/api/replay", json=wanted).status_code == 202
        assert eventually(lambda: get(client, "replays")[0]["state"] == "done")
        assert returned(rejected) == PARTITIONS
        assert get(client, "replays")[0]["sent"] == PARTITIONS - 1
        again = get(client, f"replay?group={chosen['id']}")
        assert (again["count"], again["can_replay"]) == (0, False)


def test_one_letter_is_sent_back_once(rejected: Group) -> None:
    with running(rejected.settings(), allow_replay=True) as client:
        assert eventually(lambda: get(client, "dead-letters")["groups"])
        key = get(client, "dead-letters")["groups"][0]["sample"]["key"]
        assert get(client, f"replay?key={key}") == {"count": 1, "target": rejected.input, "can_replay": True}
        wanted = {"key": key, "rate": 1, "limit": 1, "count": 1}
        assert client.post("/api/replay", json=wanted).status_code == 202
        assert eventually(lambda: get(client, "replays")[0]["state"] == "done")
        assert returned(rejected) == 1
        answer = client.post("/api/replay", json=wanted)
        assert (answer.status_code, "already" in answer.json()["error"]) == (403, True)
        assert client.get(f"/api/replay?key={rejected.dead_letters}/0/999").status_code == 404


def test_a_replay_that_is_stopped_sends_no_more(rejected: Group) -> None:
    with running(rejected.settings(), allow_replay=True) as client:
        assert eventually(lambda: len(get(client, "dead-letters")["groups"]) == 2)
        (chosen,) = [one for one in get(client, "dead-letters")["groups"] if one["error"] == "TextMissing"]
        wanted = {"group": chosen["id"], "rate": 0.5, "limit": 100, "count": 2 * PARTITIONS}
        replay = client.post("/api/replay", json=wanted).json()["id"]
        assert client.post("/api/replay", json=wanted).status_code == 403, "one replay runs at a time"
        assert client.post(f"/api/replays/{replay}/stop", json={}).status_code == 200
        assert eventually(lambda: get(client, "replays")[0]["state"] == "stopped")
        assert returned(rejected) == get(client, "replays")[0]["sent"] <= 2


def test_topics_that_are_missing_are_named(embedded: EmbeddedBroker, run_id: str) -> None:
    settings = Settings(
        kafka={"bootstrap_servers": embedded.bootstrap_servers},
        input={"topic": f"no-input-{run_id}"},
        output={"topic": f"no-output-{run_id}"},
        dead_letters={"topic": f"no-letters-{run_id}"},
    )
    with running(settings) as client:
        assert eventually(lambda: state(client, "topics") == "failed")
        (check,) = [one for one in get(client, "health")["checks"] if one["id"] == "topics"]
        assert f"no-output-{run_id}" in check["detail"]
        assert "sluice topics" in check["cure"]
        assert eventually(lambda: "does not exist" in get(client, "events")["note"])
        assert (
            "does not exist" in str(get(client, "now")["lag"]["total"]) or get(client, "now")["lag"]["total"]["unknown"]
        )


def test_a_page_outlives_its_broker_and_says_that_it_is_gone() -> None:
    with EmbeddedBroker({"comments": 1, "comment-labels": 1, "comments.dlq": 1}) as broker:
        settings = Settings(kafka={"bootstrap_servers": broker.bootstrap_servers, "no_broker_seconds": 1})
        publish(broker.bootstrap_servers, "comment-labels", [label_event(at_ms=time.time() * 1000)], partitions=1)
        with running(settings) as client:
            assert eventually(lambda: get(client, "page")["sampled"]["seen"] == 1)
            assert eventually(lambda: state(client, "broker") == "ok")
            broker.close()
            assert eventually(lambda: state(client, "broker") == "failed")
            assert "answer" in get(client, "now")["lag"]["total"]["unknown"]
            assert len(get(client, "events")["events"]) == 1, "what it has read is still shown"


def test_of_a_stream_that_is_too_fast_a_sample_is_read(embedded: EmbeddedBroker, group: Group) -> None:
    del embedded
    with running(group.settings(), most_per_second=100) as client:
        assert eventually(lambda: "has not been read" not in get(client, "events")["note"])
        now = time.time() * 1000
        publish(group.backend.bootstrap_servers, group.output, [label_event(f"c-{n}", at_ms=now) for n in range(8000)])
        assert eventually(lambda: get(client, "page")["sampled"]["seen"] == 8000)
        sampled = get(client, "page")["sampled"]
        assert sampled["read"] < 4000
        assert get(client, "events")["sampled"] is True
        scores = get(client, "scores?span=15m")
        assert scores["seen"] == pytest.approx(8000, abs=200), "what was read stands for the whole"


def test_a_day_is_there_at_once_a_few_events_of_each_stretch(real_group: Group) -> None:
    now = time.time() * 1000
    producer = Producer({"bootstrap.servers": real_group.backend.bootstrap_servers})
    for hours in range(20, 0, -1):
        at_ms = int(now - hours * 3_600_000)
        for number in range(200):
            value = json.dumps(label_event(f"c-{hours}-{number}", at_ms=at_ms + number)).encode()
            producer.produce(real_group.output, value, partition=number % PARTITIONS, timestamp=at_ms + number)
    assert producer.flush(60) == 0
    with running(real_group.settings(), tail_records=100) as client:
        assert eventually(lambda: get(client, "scores?span=1d")["seen"] == pytest.approx(20 * 200, abs=PARTITIONS))
        assert eventually(lambda: get(client, "page")["sampled"]["read"] > 19 * 50)
        assert get(client, "page")["sampled"]["read"] < 20 * 200 / 2
        assert len(get(client, "events?limit=500")["events"]) > 400


def test_the_command_serves_until_it_is_stopped_and_ends_well() -> None:
    (port,) = free_ports(1)
    environment = environment_of({"kafka.bootstrap_servers": "127.0.0.1:1", "page.port": port})
    with Child([sys.executable, "-m", "worker", "page"], environment) as page:
        assert eventually(lambda: f"http://127.0.0.1:{port}/" in page.log)
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/health")
        assert connection.getresponse().status == 200
        assert page.terminate() == 0


def test_the_command_refuses_to_let_others_in_without_a_token() -> None:
    command = [sys.executable, "-m", "worker", "page", "--host", "0.0.0.0"]  # noqa: S104 - what is refused
    with Child(command, environment_of({})) as page:
        assert page.process.wait(60) == 2
        assert "page.token" in page.log
