"""The label event that is spliced together follows the schema."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import jiter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import LabelEvent, event_id
from schemas.identity import NAMESPACE
from schemas.timestamps import rfc3339
from testkit.records import ASSIGNMENT, comment_record, record
from worker.events.label_event import LabelEventEncoder, pointer_of_text
from worker.reasons.spans import LabelReasons, Offsets, Reason, Reasons
from worker.settings import InputSettings, OutputSettings, TextFormat, TextOutput
from worker.types import (
    Assignment,
    Classification,
    IdSource,
    Labelled,
    ModelIdentity,
    TextFacts,
    ViewFacts,
)
from worker.verdicts import Language, MadeFor, ThresholdSet

LABELS = ("toxic", "100% rude", 'quoted "label"')
MODEL = ModelIdentity("sluice-mini", "1", "sha256:" + "0f" * 32, "bfloat16")
THRESHOLDS = ThresholdSet("default@1", dict.fromkeys(LABELS, 0.5), {"toxic": 0.9}, MadeFor.THIS_MODEL)
SCORES = dict(zip(LABELS, (0.99, 0.5, 0.000001), strict=True))
ENGLISH = Language("en", reliable=True, supported=None)
CLASSIFICATION = Classification(SCORES, LABELS[:2], TextFacts(14, 1, False), acted=LABELS[:1], language=ENGLISH)
VIEW = "canonical@1"
NOW = 1_795_348_800.5


def encoder(text: TextOutput = TextOutput.KEEP, text_pointer: str | list[str] = "/text") -> LabelEventEncoder:
    return LabelEventEncoder(
        InputSettings(text_pointer=text_pointer),
        OutputSettings(text=text),
        MODEL,
        THRESHOLDS,
        LABELS,
        VIEW,
        lambda: NOW,
    )


def labelled(message: Any, found: Classification = CLASSIFICATION) -> Labelled:
    return Labelled(message, ASSIGNMENT, "c-1", "hi", found)


def test_the_value_is_the_event_of_the_schema() -> None:
    outgoing = encoder().encode(labelled(comment_record("c-1", "hi", author="ann")))
    assert outgoing.value is not None
    assert LabelEvent.model_validate_json(outgoing.value, strict=False) == LabelEvent.model_validate(
        {
            "schema_version": "1.2",
            "id": event_id("comments", 3, 4711, MODEL.digest, "default@1", view=VIEW),
            "comment_id": {"value": "c-1", "source": "field"},
            "comment": {"id": "c-1", "text": "hi", "author": "ann"},
            "labels": ["toxic", "100% rude"],
            "flagged": True,
            "tier": "act",
            "tiers": {"toxic": "act", "100% rude": "review"},
            "scores": {"toxic": 0.99, "100% rude": 0.5, 'quoted "label"': 0.000001},
            "thresholds": {
                "set": "default@1",
                "values": THRESHOLDS.values,
                "act": {"toxic": 0.9},
                "made_for": "this-model",
            },
            "model_labels": {},
            "model": MODEL._asdict(),
            "text": {"tokens": 14, "windows": 1, "truncated": False},
            "view": {"version": VIEW, "scored": False, "transforms": [], "tokens": 0},
            "language": {"detected": "en", "reliable": True, "supported": None},
            "reasons": None,
            "source": {
                "topic": "comments",
                "topic_id": None,
                "partition": 3,
                "offset": 4711,
                "timestamp": datetime.fromtimestamp(1_795_348_800.042, UTC),
            },
            "processed_at": datetime.fromtimestamp(NOW, UTC),
        }
    )


def test_scores_keep_the_order_of_the_model() -> None:
    value = encoder().encode(labelled(comment_record("c-1", "hi"))).value
    assert tuple(json.loads(value or b"")["scores"]) == LABELS


def test_the_comment_is_included_byte_for_byte() -> None:
    raw = b' {"n":1.50e+3, "big":123456789012345678901234567890,\n"id":"c-1","text":"\\u00e9","percent":"100%d %s"}'
    value = encoder().encode(labelled(record(raw))).value
    assert value is not None
    assert raw in value
    assert json.loads(value)["comment"]["percent"] == "100%d %s"


def test_an_event_without_labels_is_not_flagged() -> None:
    found = CLASSIFICATION._replace(labels=(), acted=())
    event = json.loads(encoder().encode(labelled(comment_record("c-1", "hi"), found=found)).value or b"")
    assert (event["labels"], event["flagged"], event["tier"], event["tiers"]) == ([], False, "none", {})


def test_the_tier_is_the_highest_that_a_label_reached_and_each_label_has_its_own() -> None:
    for acted, tier in ((LABELS[:1], "act"), ((), "review")):
        found = CLASSIFICATION._replace(labels=LABELS[:2], acted=acted)
        event = json.loads(encoder().encode(labelled(comment_record("c-1", "hi"), found=found)).value or b"")
        assert event["tier"] == tier
        assert event["tiers"] == {label: "act" if label in acted else "review" for label in LABELS[:2]}


def test_a_text_that_needs_a_review_has_that_tier_without_a_label_and_a_language_may_be_absent() -> None:
    found = CLASSIFICATION._replace(labels=(), acted=(), needs_review=True, language=None)
    clean = found._replace(needs_review=False)
    tiers = []
    encode = encoder().encode
    for one in (found, clean, found):
        event = json.loads(encode(labelled(comment_record("c-1", "hi"), found=one)).value or b"")
        tiers.append((event["tier"], event["flagged"], event["language"]))
    assert tiers == [("review", False, None), ("none", False, None), ("review", False, None)]


def test_the_words_that_carry_a_label_are_counted_both_ways_and_the_event_says_in_which_text() -> None:
    offsets = Offsets("🙂 you fool")
    of_label = LabelReasons((Reason(offsets.span(6, 10), 1.0),), offsets.span(0, 10))
    found = CLASSIFICATION._replace(reasons=Reasons("token-head@1", {"toxic": of_label}))
    outcome = labelled(comment_record("c-1", "🙂 you fool", body="b"), found=found)
    value = encoder().encode(outcome).value or b""
    LabelEvent.model_validate_json(value)
    window = {"begin": 0, "end": 10, "utf16_begin": 0, "utf16_end": 11}
    span = {"begin": 6, "end": 10, "utf16_begin": 7, "utf16_end": 11, "share": 1.0}
    assert json.loads(value)["reasons"] == {
        "method": "token-head@1",
        "text_pointer": "/text",
        "labels": {"toxic": {"spans": [span], "window": window}},
    }
    joined = json.loads(encoder(text_pointer=["/text", "/body"]).encode(outcome).value or b"")
    assert joined["reasons"]["text_pointer"] is None, "the text is in no single place of the event"


def test_a_text_read_from_markup_is_in_no_place_of_the_event() -> None:
    assert pointer_of_text(InputSettings(text_pointer="/body")) == "/body"
    assert pointer_of_text(InputSettings(text_pointer="/body", text_format=TextFormat.HTML)) is None


def test_headers_are_cloudevents_in_binary_mode_and_pass_the_trace_on() -> None:
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    received: list[tuple[str, bytes | None]] = [("traceparent", b"old"), ("x", b"y"), ("traceparent", trace)]
    outgoing = encoder().encode(labelled(record(b'{"id":"c-1","text":"hi"}', headers=received)))
    headers = dict(outgoing.headers)
    assert len(headers) == len(outgoing.headers)
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_type": b"sluice.comment.labelled.v1",
        "ce_source": b"urn:kafka:topic:comments",
        "ce_dataschema": b"urn:sluice:schema:label-event:1.0",
        "content-type": b"application/json",
        "ce_id": event_id("comments", 3, 4711, MODEL.digest, "default@1", view=VIEW).encode(),
        "ce_time": rfc3339(int(NOW * 1000)),
        "ce_subject": b"c-1",
        "traceparent": trace,
    }


def test_key_and_topic_are_what_the_reader_expects() -> None:
    outgoing = encoder().encode(labelled(comment_record("c-1", "hi")))
    assert (outgoing.topic, outgoing.key) == ("comment-labels", b"k")


def test_hash_puts_the_digest_in_place_of_the_text() -> None:
    message = record(b'{"id":"c-1","body":{"text":"hi","lang":"en"}}')
    event = json.loads(encoder(TextOutput.HASH, "/body/text").encode(labelled(message)).value or b"")
    digest = "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
    assert event["comment"] == {"id": "c-1", "body": {"text": digest, "lang": "en"}}


@pytest.mark.parametrize(
    ("value", "pointer", "expected"),
    [
        (b'{"id":"c-1","text":"hi","n":1}', "/text", {"id": "c-1", "n": 1}),
        (b'{"id":"c-1","parts":["hi","there"]}', "/parts/0", {"id": "c-1", "parts": [None, "there"]}),
    ],
)
def test_omit_leaves_no_trace_of_the_text(value: bytes, pointer: str, expected: Any) -> None:
    out = encoder(TextOutput.OMIT, pointer).encode(labelled(record(value))).value or b""
    assert json.loads(out)["comment"] == expected


@pytest.mark.parametrize("output", [TextOutput.HASH, TextOutput.OMIT])
def test_each_of_several_texts_is_hashed_or_left_out(output: TextOutput) -> None:
    message = record(b'{"id":"c-1","title":"hi","post":{"body":"hi","n":1e400},"note":null}')
    event = encoder(output, ["/title", "/post/body", "/note", "/absent/0"]).encode(labelled(message)).value or b""
    comment = jiter.from_json(event, float_mode="lossless-float")["comment"]
    digest = "sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
    texts = (comment.get("title"), comment["post"].get("body"))
    assert texts == ((digest, digest) if output is TextOutput.HASH else (None, None))
    assert (str(comment["post"]["n"]), comment["note"]) == ("1e400", None)


@pytest.mark.parametrize("source", IdSource)
def test_the_event_names_the_source_of_the_comments_id(source: IdSource) -> None:
    outcome = labelled(comment_record("c-1", "hi"))._replace(id='k"1', id_source=source)
    outgoing = encoder().encode(outcome)
    event = LabelEvent.model_validate_json(outgoing.value or b"", strict=False)
    assert event.comment_id is not None
    assert (event.comment_id.value, event.comment_id.source) == ('k"1', source.value)
    assert dict(outgoing.headers)["ce_subject"] == b'k"1'


def test_a_second_reading_is_told_with_what_was_undone() -> None:
    found = CLASSIFICATION._replace(view=ViewFacts(("spaced", "leet"), 9))
    event = json.loads(encoder().encode(labelled(comment_record("c-1", "hi"), found)).value or b"")
    assert event["view"] == {"version": VIEW, "scored": True, "transforms": ["spaced", "leet"], "tokens": 9}
    assert event["text"]["tokens"] == 14
    LabelEvent.model_validate(event, strict=False)


def test_without_a_second_reading_there_is_no_view_and_the_id_is_that_of_schema_1_0() -> None:
    plain = LabelEventEncoder(InputSettings(), OutputSettings(), MODEL, THRESHOLDS, LABELS, None, lambda: NOW)
    event = json.loads(plain.encode(labelled(comment_record("c-1", "hi"))).value or b"")
    assert event["view"] is None
    assert event["id"] == event_id("comments", 3, 4711, MODEL.digest, "default@1")


def test_scores_of_one_view_and_of_two_are_two_events() -> None:
    ids = {event_id("comments", 3, 4711, MODEL.digest, "default@1", view=view) for view in (None, VIEW, "canonical@2")}
    assert len(ids) == 3


def test_an_event_of_schema_1_0_is_still_read() -> None:
    event = json.loads(encoder().encode(labelled(comment_record("c-1", "hi"))).value or b"")
    del event["view"]
    assert LabelEvent.model_validate({**event, "schema_version": "1.0"}, strict=False).view is None


@pytest.mark.parametrize("timestamp", [(0, -1), (1, -5), (1, 2**62)])
def test_a_timestamp_out_of_range_is_null(timestamp: tuple[int, int]) -> None:
    message = record(b'{"id":"c-1","text":"hi"}', timestamp=timestamp)
    assert json.loads(encoder().encode(labelled(message)).value or b"")["source"]["timestamp"] is None


@given(st.text(), st.integers(0, 2**31), st.integers(0, 2**62), st.text(), st.text())
def test_the_event_id_is_uuid5_of_its_parts(topic: str, partition: int, offset: int, digest: str, name: str) -> None:
    try:
        expected = uuid.uuid5(NAMESPACE, f"{topic}/{partition}/{offset}/{digest}/{name}")
    except UnicodeEncodeError:
        return
    assert event_id(topic, partition, offset, digest, name) == str(expected)


def test_events_of_two_logs_of_one_name_have_different_ids_and_say_which_log() -> None:
    found = []
    for topic_id in ("", "8tZ3x1ZvQ0qJm0wK1yQ9aA", "Pq7r-1bTQ4y_0dZkVn2e4w"):
        assignment = Assignment("comments", 3, epoch=1, topic_id=topic_id)
        message = comment_record("c-1", "hi")
        value = encoder().encode(Labelled(message, assignment, "c-1", "hi", CLASSIFICATION)).value
        event = LabelEvent.model_validate_json(value or b"")
        assert event.source.topic_id == (topic_id or None)
        assert event.id == event_id("comments", 3, 4711, MODEL.digest, "default@1", topic_id, VIEW)
        found.append(event.id)
    assert len(set(found)) == 3


@given(st.lists(st.floats(0, 1).map(lambda score: round(score, 6)), min_size=3, max_size=3), st.booleans())
def test_any_scores_make_valid_json(scores: list[float], truncated: bool) -> None:
    found = Classification(dict(zip(LABELS, scores, strict=True)), (), TextFacts(1, 1, truncated))
    value = encoder().encode(labelled(comment_record("c-1", "hi"), found=found)).value or b""
    event = jiter.from_json(value, allow_inf_nan=False, catch_duplicate_keys=True)
    assert list(event["scores"].values()) == scores


@pytest.mark.parametrize("output", [TextOutput.HASH, TextOutput.OMIT])
def test_without_the_text_everything_else_is_unchanged(output: TextOutput) -> None:
    rest = '"n":1e400,"price":1.50,"zero":-0.0,"big":12345678901234567890123,"names":["\u00e9\\n",null,true,{}]'
    value = f'{{"id":"a","text":"x",{rest}}}'.encode()
    written = encoder(output).encode(labelled(record(value))).value or b""
    assert rest.encode() in written
    assert b"Infinity" not in written
