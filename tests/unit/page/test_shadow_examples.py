"""Examples are shown by id and score; what is none is counted and passed over."""

import json
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from testkit.records import record
from tests.unit.page.conftest import NOBODY, FedPage
from worker.page.app import make_app
from worker.page.parts import make_parts
from worker.page.shadow_examples import MOST_EXAMPLES, ShadowExamples
from worker.page.tail import Read
from worker.settings import Settings


def example(number: int, **others: Any) -> bytes:
    return json.dumps(
        {
            "event_id": f"event-{number}",
            "comment_id": f"c-{number}",
            "incumbent": {"scores": {"toxic": 0.9, "insult": 0.1}, "tiers": {"toxic": "act"}},
            "candidate": {"scores": {"toxic": 0.4}, "tiers": {}},
            "differences": [
                {"label": "toxic", "tier": "review", "by": "incumbent"},
                {"label": "toxic", "tier": "act", "by": "incumbent"},
            ],
            **others,
        }
    ).encode()


def test_the_newest_come_first_and_each_label_once() -> None:
    examples = ShadowExamples()
    examples.take(Read([record(example(n)) for n in range(80)], 0))
    rows = examples.as_json()
    assert len(rows) == MOST_EXAMPLES
    assert rows[0] == {
        "id": "event-79",
        "comment_id": "c-79",
        "label": "toxic",
        "incumbent": 0.9,
        "incumbent_tier": "act",
        "candidate": 0.4,
        "candidate_tier": "none",
    }


def test_what_is_no_example_is_passed_over() -> None:
    examples = ShadowExamples()
    values = [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"differences": 7}',
        example(1, candidate=None),
        example(2, differences=[{}]),
        example(3, incumbent={"scores": {"toxic": 0.9}, "tiers": {"toxic": "banned"}}),
    ]
    examples.take(Read([record(value) for value in values], 0))
    assert (examples.as_json(), examples.unreadable) == ([], len(values))


def test_a_label_that_one_of_the_two_does_not_know_has_no_score_there() -> None:
    examples = ShadowExamples()
    examples.take(Read([record(example(1, differences=[{"label": "insult", "tier": "review", "by": "incumbent"}]))], 0))
    (row,) = examples.as_json()
    assert (row["incumbent"], row["candidate"]) == (0.1, None)


def test_the_page_shows_them_where_the_settings_name_their_topic(page: FedPage) -> None:
    answer = page.client().get("/api/shadow").json()
    assert (answer["examples"], "shadow.examples_topic" in answer["why_no_examples"]) == ([], True)
    parts = make_parts(Settings(kafka={"bootstrap_servers": NOBODY}, shadow={"examples_topic": "examples"}))
    assert parts.examples_follower is not None
    parts.examples_follower.take(Read([record(example(1))], 0))
    answer = TestClient(make_app(parts, Path()), base_url="http://127.0.0.1").get("/api/shadow").json()
    assert [row["id"] for row in answer["examples"]] == ["event-1"]
    assert "has not been read yet" in answer["why_no_examples"]
