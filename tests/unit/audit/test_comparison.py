"""What counts as a difference between a published event and its text scored again."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import LabelEvent
from tests.unit.audit.events import FACTS, THRESHOLDS, changed, judged, written
from worker.audit.comparison import Difference, Kind, differences, within
from worker.types import Classification
from worker.verdicts import ThresholdSet

TOLERANCE = 0.06


def compared(
    published: Classification, again: Classification, at_hand: ThresholdSet | None = THRESHOLDS, **fields: Any
) -> list[Difference]:
    event = LabelEvent.model_validate_json(changed(written(published), **fields))
    return sorted(differences(event, again, at_hand, TOLERANCE), key=lambda found: (found.kind, found.label))


def test_the_same_scores_have_no_difference() -> None:
    found = judged({"toxic": 0.9, "insult": 0.1})
    assert compared(found, found) == []


def test_a_score_beyond_the_tolerance_is_reported_with_its_label_and_one_within_is_not() -> None:
    published = judged({"toxic": 0.6, "insult": 0.1})
    assert compared(published, judged({"toxic": 0.61, "insult": 0.13})) == [Difference(Kind.SCORE, "insult", 0.1, 0.13)]


def test_a_flag_that_turns_beyond_the_tolerance_is_reported_beside_its_score() -> None:
    found = compared(judged({"toxic": 0.3, "insult": 0.1}), judged({"toxic": 0.9, "insult": 0.1}))
    assert found == [Difference(Kind.SCORE, "toxic", 0.3, 0.9), Difference(Kind.VERDICT, "toxic", "none", "act")]


def test_a_flag_that_turns_within_the_tolerance_is_reported_apart_and_no_fault() -> None:
    (found,) = compared(judged({"toxic": 0.399, "insult": 0.1}), judged({"toxic": 0.401, "insult": 0.1}))
    assert found == Difference(Kind.NEAR_THRESHOLD, "toxic", "none", "review")
    assert found.kind.within_tolerance


def test_an_event_that_contradicts_its_own_scores_is_reported_however_near_the_threshold_is() -> None:
    published = judged({"toxic": 0.401, "insult": 0.1})
    (found,) = compared(published, published, labels=[], tiers={}, flagged=False)
    assert found == Difference(Kind.VERDICT, "toxic", "none", "review")


def test_a_text_that_is_read_into_other_tokens_is_reported() -> None:
    published = judged({"toxic": 0.1, "insult": 0.1})
    (found,) = compared(published, published._replace(text=FACTS._replace(tokens=9, truncated=True)))
    assert found == Difference(Kind.READING, "", "5 tokens in 1 windows", "9 tokens in 1 windows, cut")


def test_labels_that_only_one_side_has_are_reported() -> None:
    published = judged({"toxic": 0.1, "insult": 0.1})
    assert compared(published, judged({"insult": 0.1, "threat": 0.2}), scores={"toxic": 0.1}) == [
        Difference(Kind.SCORE, "insult", None, 0.1),
        Difference(Kind.SCORE, "threat", None, 0.2),
        Difference(Kind.SCORE, "toxic", 0.1, None),
    ]


def test_a_set_of_the_same_name_with_other_values_is_reported_and_one_of_another_name_is_not() -> None:
    found = judged({"toxic": 0.1, "insult": 0.1})
    other = ThresholdSet("mine@1", {"toxic": 0.4, "insult": 0.6}, {})
    assert compared(found, found, other) == [
        Difference(Kind.THRESHOLDS, "insult", "review 0.5", "review 0.6"),
        Difference(Kind.THRESHOLDS, "toxic", "act 0.8", "act never"),
    ]
    assert compared(found, found, other._replace(name="mine@2")) == []
    assert compared(found, found, None) == []


def test_an_event_from_before_the_tiers_has_flags_only() -> None:
    published = judged({"toxic": 0.9, "insult": 0.1}, ThresholdSet("mine@1", THRESHOLDS.values))
    old: dict[str, Any] = {"schema_version": "1.1", "tier": None, "tiers": {}}
    old["thresholds"] = {"set": "mine@1", "values": THRESHOLDS.values}
    assert compared(published, published, **old) == []


def test_what_a_person_must_see_in_a_language_not_supported_may_stay_below_act() -> None:
    found = judged({"toxic": 0.9, "insult": 0.1})
    kept: dict[str, Any] = {"tiers": {"toxic": "review"}, "tier": "review"}
    other = {"detected": "fi", "reliable": True, "supported": False}
    assert compared(found, found, language=other, **kept) == []
    assert compared(found, found, **kept) == [Difference(Kind.VERDICT, "toxic", "review", "act")]


@given(logit=st.floats(-16, 16), move=st.floats(-TOLERANCE, TOLERANCE))
def test_scores_of_logits_within_the_tolerance_are_never_reported(logit: float, move: float) -> None:
    one, other = (round(1 / (1 + math.exp(-at)), 6) for at in (logit, logit + move))
    assert within(one, other, TOLERANCE + 1e-9)


@given(logit=st.floats(-6, 6))
def test_scores_of_logits_clearly_beyond_the_tolerance_are_reported(logit: float) -> None:
    one, other = (round(1 / (1 + math.exp(-at)), 6) for at in (logit, logit + TOLERANCE + 0.01))
    assert not within(one, other, TOLERANCE)


def test_with_tolerance_0_every_published_digit_counts() -> None:
    assert within(0.5, 0.5, 0)
    assert not within(0.5, 0.500002, 0)


@pytest.mark.parametrize(("one", "other", "same"), [(0.0, 0.0, True), (1.0, 1.0, True), (0.0, 1.0, False)])
def test_saturated_scores_are_compared_too(one: float, other: float, same: bool) -> None:
    assert within(one, other, TOLERANCE) is same
