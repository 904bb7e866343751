"""The answers of the page say what was read, and what is not known says why."""

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.concurrency import run_in_threadpool

from testkit.label_events import DIGEST, label_event
from testkit.records import record
from tests.unit.page.conftest import FedPage, MakePage
from worker.page import cluster_questions
from worker.page import labelled as labelled_module
from worker.page.cluster_questions import MOST_QUESTIONS, ClusterQuestions
from worker.page.query import Busy
from worker.quality.labelled import LabelledFile, LabelledTexts, read_labelled
from worker.thresholds.set_file import read_set


def get(page: FedPage, path: str) -> Any:
    answer = page.client().get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def letter(stage: str, error: str, offset: int, failed_at: str = "2026-11-26T12:00:00.000Z", hops: int = 0) -> Any:
    headers = [
        ("__connect.errors.topic", b"comments"),
        ("__connect.errors.partition", b"3"),
        ("__connect.errors.offset", b"%d" % offset),
        ("__connect.errors.stage", stage.encode()),
        ("__connect.errors.exception.class.name", error.encode()),
        ("__connect.errors.exception.message", b"a reason"),
        ("dlq.failed_at", failed_at.encode()),
        ("dlq.replay_count", b"%d" % hops),
    ]
    return record(b'{"id": \xff', offset=offset, partition=0, headers=headers, topic="comments.dlq")


def test_nothing_is_empty_before_anything_is_known(page: FedPage) -> None:
    now = get(page, "now")
    for value in (
        now["rates"]["comments_per_second"],
        now["rates"]["tokens_per_second"],
        now["rates"]["flagged_share"]["1m"],
        now["lag"]["total"],
        now["oldest_unscored_seconds"],
        now["members"],
        now["state"],
        now["model"],
        now["threshold_set"],
    ):
        assert value["unknown"], now
    checks = get(page, "health")["checks"]
    assert [check["id"] for check in checks] == ["broker", "topics", "group", "assigned", "model", "commits", "lag"]
    assert {check["state"] for check in checks} == {"unknown"}
    assert get(page, "shadow")["why_not"]
    assert get(page, "dead-letters")["total"]["unknown"]
    assert get(page, "scores")["covers"]["why_not_more"]


def test_events_are_listed_newest_first_and_page_by_page(page: FedPage, now_ms: float) -> None:
    page.feed(*(label_event(f"c-{n}", at_ms=now_ms - 10_000 + n) for n in range(7)))
    first = get(page, "events?limit=3")
    assert [event["comment_id"] for event in first["events"]] == ["c-6", "c-5", "c-4"]
    second = get(page, f"events?limit=3&before={first['next']}")
    third = get(page, f"events?limit=3&before={second['next']}")
    assert [event["comment_id"] for event in (*second["events"], *third["events"])] == ["c-3", "c-2", "c-1", "c-0"]
    assert third["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("label=toxic", ["act", "review"]),
        ("label=insult", []),
        ("tier=act", ["act"]),
        ("tier=none", ["none"]),
        ("score=toxic:0.5:0.7", ["review"]),
        ("score=toxic::0.5", ["none"]),
        ("language=en", ["act", "review", "none"]),
        ("language=de", []),
        ("topic=comments&partition=0", ["act", "review", "none"]),
        ("partition=1", []),
    ],
)
def test_a_filter_selects(page: FedPage, now_ms: float, query: str, found: list[str]) -> None:
    for place, (name, score) in enumerate({"none": 0.1, "review": 0.6, "act": 0.9}.items()):
        page.feed(label_event(name, at_ms=now_ms - 1000 + place, toxic=score))
    assert [event["comment_id"] for event in get(page, f"events?{query}")["events"]] == found


@pytest.mark.parametrize(
    "path",
    ["events?tier=some", "events?score=toxic", "events?score=toxic:a:b", "events?partition=x", "events?before=x",
     "events?limit=-1", "events?limit=0", f"events/comment-labels/0/{'9' * 5000}", "events/comment-labels/x/0",
     f"what-if.json?set={'[' * 20_000}", "scores?span=1y", "what-if?label=none", "what-if?label=toxic&review=2",
     "what-if?label=toxic&review=0.9&act=0.1", "what-if.json?set=x", 'what-if.json?set={"none":{}}',
     'what-if.json?set={"toxic":{"review":7}}', "replay"],
)  # fmt: skip
def test_a_question_that_is_not_understood_is_answered_with_what_is_expected(page: FedPage, path: str) -> None:
    page.feed(label_event())
    answer = page.client().get(f"/api/{path}")
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


def test_what_is_not_there_is_not_found(page: FedPage) -> None:
    for path in ("nothing", "dead-letters/0123", "events/another-topic/0/0"):
        answer = page.client().get(f"/api/{path}")
        assert answer.status_code == 404, path
        assert answer.json()["error"]


def test_scores_are_counted_by_fiftieths_and_stand_for_the_whole_stream(page: FedPage, now_ms: float) -> None:
    page.feed(*(label_event(at_ms=now_ms, toxic=score) for score in (0.0, 0.019, 0.02, 0.99, 1.0)), passed_over=5)
    scores = get(page, "scores?span=15m")
    toxic = scores["labels"][0]
    assert (scores["seen"], scores["sampled"]) == (10, 5)
    assert (toxic["bins"][0], toxic["bins"][1], toxic["bins"][49]) == (4, 2, 4)
    assert sum(toxic["bins"]) == 10
    assert (toxic["review"], toxic["act"], toxic["flagged_share"]) == (0.5, 0.8, 0.4)
    assert get(page, "events")["sampled"] is True
    assert "sample" in get(page, "events")["note"]


def test_other_thresholds_are_tried_on_the_sample(page: FedPage, now_ms: float) -> None:
    page.feed(*(label_event(f"{score}", at_ms=now_ms, toxic=score) for score in (0.1, 0.45, 0.55, 0.85)))
    answer = get(page, "what-if?label=toxic&review=0.4&act=0.9&span=15m")
    assert answer["now"] == {"review_share": 0.5, "act_share": 0.25}
    assert answer["then"] == {"review_share": 0.75, "act_share": 0}
    assert [(one["comment_id"], one["side"]) for one in answer["changes"]] == [("0.45", "+review"), ("0.85", "-act")]
    never = get(page, "what-if?label=toxic&span=15m")
    assert never["then"] == {"review_share": 0, "act_share": 0}
    assert {one["side"] for one in never["changes"]} == {"-review", "-act"}


def test_at_most_twenty_changes_are_shown_nearest_first(page: FedPage, now_ms: float) -> None:
    page.feed(*(label_event(at_ms=now_ms, toxic=0.2 + n / 100) for n in range(30)))
    answer = get(page, "what-if?label=toxic&review=0.2&act=0.9&span=15m")
    scores = [one["score"] for one in answer["changes"]]
    assert (len(scores), answer["changed"]) == (20, 30)
    assert scores == sorted(scores)


def test_a_downloaded_set_is_one_that_a_worker_reads(page: FedPage, tmp_path: Path) -> None:
    event = label_event() | {"model_labels": {"insult": "rude"}}
    page.feed(event)
    answer = page.client().get('/api/what-if.json?set={"toxic":{"review":0.3,"act":null},"insult":{"act":0.7}}')
    assert answer.headers["content-disposition"].startswith("attachment;")
    (tmp_path / "set.json").write_bytes(answer.content)
    found = read_set(tmp_path / "set.json")
    assert {label: (tiers.review, tiers.act) for label, tiers in found.labels.items()} == {
        "toxic": (0.3, None),
        "rude": (None, 0.7),
    }
    assert found.model is not None
    assert found.model.digest == DIGEST


def test_labels_that_are_left_out_of_a_download_keep_their_thresholds(page: FedPage) -> None:
    page.feed(label_event())
    assert get(page, "what-if.json")["labels"] == {"toxic": {"review": 0.5, "act": 0.8}, "insult": {"review": 0.4}}


def test_labelled_comments_give_precision_and_recall(make_page: MakePage, tmp_path: Path, now_ms: float) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("id,text,toxic,insult\nc-1,a,1,0\nc-2,b,1,0\nc-3,c,0,0\nc-4,d,0,0\n")
    page = make_page(labelled=labelled)
    page.feed(label_event("not labelled", at_ms=now_ms, toxic=0.99))
    assert get(page, "what-if?label=toxic&review=0.3")["labelled"]["unknown"]
    for name, score in (("c-1", 0.9), ("c-2", 0.35), ("c-3", 0.6), ("c-3", 0.55)):
        page.feed(label_event(name, at_ms=now_ms, toxic=score))
    found = get(page, "what-if?label=toxic&review=0.3&act=0.8")["labelled"]
    assert found["now"]["review"] == {"precision": 0.5, "recall": 0.5, "n": 3, "positives": 2}
    assert found["review"] == {"precision": 2 / 3, "recall": 1.0, "n": 3, "positives": 2}
    assert found["act"]["precision"] == 1.0


def test_a_labelled_file_that_can_not_be_used_is_named_as_the_reason(make_page: MakePage, tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("id,text,other\nc-1,a,1\n")
    page = make_page(labelled=labelled)
    page.feed(label_event("c-1"))
    page.feed(label_event("c-1"))
    assert "none of the model's labels" in get(page, "what-if?label=toxic&review=0.3")["labelled"]["unknown"]
    assert len(page.parts.lines.after(0)[1]) == 1


def test_a_labelled_file_is_read_once_for_each_set_of_labels(
    make_page: MakePage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled = tmp_path / "labelled.csv"
    labelled.write_text("id,text,toxic,insult\nc-1,a,1,0\n")
    page = make_page(labelled=labelled)
    calls: list[Any] = []

    def counted(file: LabelledFile, labels: Sequence[str]) -> LabelledTexts:
        calls.append(labels)
        return read_labelled(file, labels)

    monkeypatch.setattr(labelled_module, "read_labelled", counted)
    old, new = label_event("c-1"), label_event("c-1")
    old["scores"] = {"toxic": 0.1}
    for event in (old, new) * 5:
        page.feed(event)
    assert len(calls) == 2
    assert get(page, "what-if?label=toxic&review=0.3")["labelled"]["review"]["n"] == 1
    for number in range(20):
        page.feed(label_event("c-1") | {"scores": {f"label-{number}": 0.1}})
    assert len(calls) <= 4


@pytest.mark.parametrize("place", [f"{2**31}/0", f"0/{9 * 10**18}9", f"{2**62}/{2**62}"])
def test_a_place_that_no_topic_has_is_not_found(page: FedPage, place: str) -> None:
    assert page.client().get(f"/api/events/comment-labels/{place}").status_code in (400, 404)


def test_a_body_nested_without_end_is_not_understood(make_page: MakePage) -> None:
    client = make_page(allow_replay=True).client()
    body = "[" * 16_000
    assert client.post("/api/replay", content=body, headers={"Content-Type": "application/json"}).status_code == 400


def test_questions_to_the_cluster_are_few_at_a_time_and_keep_no_other_answer_waiting(page: FedPage) -> None:
    async def run() -> None:
        questions, release = ClusterQuestions(), threading.Event()
        asked = [asyncio.ensure_future(questions.ask(release.wait)) for _ in range(MOST_QUESTIONS)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="in a few seconds"):
            await questions.ask(lambda: None)
        assert await run_in_threadpool(page.parts.sample.counts)
        release.set()
        await asyncio.gather(*asked)
        assert await questions.ask(lambda: "answered") == "answered"

    asyncio.run(run())


def test_beyond_that_the_answer_says_when_to_try_again(page: FedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_questions, "MOST_QUESTIONS", 0)
    for path in ("events/comment-labels/0/0", "replay?group=0"):
        answer = page.client().get(f"/api/{path}")
        assert (answer.status_code, "try again" in answer.json()["error"]) == (503, True)


def test_dead_letters_are_grouped_with_bytes_shown_only_when_asked_for(page: FedPage) -> None:
    page.feed_letters(
        letter("DECODE", "InvalidJson", 1, "2026-11-26T12:00:00.000Z"),
        letter("DECODE", "InvalidJson", 2, "2026-11-26T12:00:05.000Z", hops=2),
        letter("VALIDATE", "TextMissing", 3),
    )
    answer = get(page, "dead-letters")
    group = answer["groups"][0]
    assert (group["stage"], group["error"], group["count"]) == ("DECODE", "InvalidJson", 2)
    assert (group["first"], group["last"]) == ("2026-11-26T12:00:00.000Z", "2026-11-26T12:00:05.000Z")
    assert (group["sample"]["key"], group["sample"]["hops"]) == ("comments.dlq/0/2", 2)
    assert "preview" not in json.dumps(answer)
    assert get(page, "dead-letters?text=1")["groups"][0]["sample"]["preview"] == '{"id": \\xff'
    letters = get(page, f"dead-letters/{group['id']}?limit=1")
    assert [one["key"] for one in letters["letters"]] == ["comments.dlq/0/2"]
    rest = get(page, f"dead-letters/{group['id']}?before={letters['next']}")
    assert [one["key"] for one in rest["letters"]] == ["comments.dlq/0/1"]


def test_errors_of_somebodys_invention_do_not_fill_the_memory(page: FedPage) -> None:
    page.feed_letters(*(letter("DECODE", f"Error{n}", n) for n in range(1000)))
    groups = get(page, "dead-letters")["groups"]
    assert len(groups) <= 201
    assert sum(group["count"] for group in groups) == 1000


def test_several_models_among_the_last_events_are_named(page: FedPage, now_ms: float) -> None:
    page.feed(label_event(at_ms=now_ms))
    newer = label_event(at_ms=now_ms)
    newer["model"] = newer["model"] | {"digest": "sha256:" + "cd" * 32}
    page.feed(newer)
    now = get(page, "now")
    assert now["model"]["digest"] == "sha256:" + "cd" * 32
    assert [model["digest"] for model in now["other_models"]] == [DIGEST]


def test_a_fault_of_the_page_is_an_answer_that_quotes_nothing(page: FedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        message = "a comment's words"
        raise RuntimeError(message)

    monkeypatch.setattr(page.parts.replays, "as_json", fail)
    client = page.client()
    client._transport.raise_server_exceptions = False  # type: ignore[attr-defined] # as a server answers
    answer = client.get("/api/replays")
    assert answer.status_code == 500
    assert "words" not in answer.text
