"""A verdict never depends on the texts that a text is scored with: by the rule, and by fuzzing real forward passes."""

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.classifier.forward.reference import TOLERANCES, build, windows_of
from worker.classifier.forward.out_of_memory import MemoryBound
from worker.classifier.logit_scorer import LogitScorer
from worker.classifier.machine.hardware import multiplies_int8
from worker.settings import Precision
from worker.types import Classification, TextFacts
from worker.verdicts import ThresholdSet

LABELS = ("a", "b", "c")
TOLERANCE = 0.25
Window = tuple[int, ...]
FACTS = TextFacts(1, 1, truncated=False)


class Swayed:
    """A forward pass whose logits a batch sways, by up to the tolerance, as the batch decides; alone they are exact.

    A window is its own logits, in thousandths.
    """

    precision = "bfloat16"
    padded_tokens = 0

    def __init__(self, sways: Sequence[float]) -> None:
        self._sways = sways

    def logits(self, windows: Sequence[Sequence[int]], marks: object = None) -> torch.Tensor:  # noqa: ARG002 - as the real one
        exact = torch.tensor([list(window) for window in windows]) / 1000
        if len(windows) == 1:
            return exact
        pattern = (list(self._sways) * exact.numel())[: exact.numel()]
        return exact + torch.tensor(pattern).reshape(exact.shape)


def verdict(found: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assert isinstance(found, Classification)
    return found.labels, found.acted


def scorer(
    forward: object, review: Sequence[float], act: Sequence[float], tolerance: float, labels: Sequence[str] = LABELS
) -> LogitScorer:
    thresholds = ThresholdSet("t@1", dict(zip(labels, review, strict=True)), dict(zip(labels, act, strict=True)))
    return LogitScorer(MemoryBound(forward, 2048), labels, thresholds, None, tolerance)  # type: ignore[arg-type] # scripted


windows_near = st.tuples(*[st.integers(-900, 900)] * 3)
thresholds = st.tuples(*[st.integers(0, 100).map(lambda hundredths: hundredths / 100)] * 3)


@given(
    texts=st.lists(windows_near, min_size=2, max_size=12),
    sways=st.lists(st.sampled_from([-TOLERANCE, -0.1, 0.0, 0.1, TOLERANCE]), min_size=1, max_size=7),
    review=thresholds,
    act=thresholds,
)
def test_no_company_turns_a_verdict_as_long_as_it_sways_a_logit_by_no_more_than_the_tolerance(
    texts: list[Window], sways: list[float], review: tuple[float, ...], act: tuple[float, ...]
) -> None:
    tried = scorer(Swayed(sways), review, act, TOLERANCE + 1e-6)
    together = tried.score([([text], FACTS) for text in texts])
    for text, found in zip(texts, together, strict=True):
        (alone,) = tried.score([([text], FACTS)])
        assert verdict(found) == verdict(alone)


def test_what_no_company_can_turn_is_not_computed_again() -> None:
    far, near = (3000, -3000, 3000), (100, -3000, 3000)
    tried = scorer(Swayed([0.1]), [0.5] * 3, [0.9] * 3, TOLERANCE)
    tried.score([([far], FACTS), ([near], FACTS), ([far], FACTS)])
    assert tried.computed_alone == 1


def test_a_text_near_a_threshold_gets_the_scores_it_has_alone() -> None:
    near = (100, -3000, 3000)
    tried = scorer(Swayed([0.1]), [0.5] * 3, [0.9] * 3, TOLERANCE)
    assert tried.score([([near], FACTS), ([near], FACTS)])[0] == tried.score([([near], FACTS)])[0]


def test_a_text_of_several_windows_is_computed_alone_with_all_of_them() -> None:
    low, high = (-2000, -2000, -2000), (100, -3000, -3000)
    tried = scorer(Swayed([0.0]), [0.5] * 3, [0.9] * 3, TOLERANCE)
    found = tried.score([([low, high], TextFacts(2, 2, truncated=False)), ([low], FACTS)])[0]
    assert tried.computed_alone == 1
    assert verdict(found) == (("a",), ())


def test_a_model_that_differs_by_more_than_the_tolerance_widens_it_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = scorer(Swayed([0.2]), [0.5] * 3, [0.9] * 3, tolerance=0.15)
    beyond = (100, -3000, -3000)  # swayed to 0.3: further from the threshold than the tolerance
    tried.score([([beyond], FACTS)] * 2)
    assert tried.computed_alone == 0
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            tried.score([([(-100, -3000, -3000)], FACTS)] * 2)
    assert [record.getMessage()[:18] for record in caplog.records] == ["a logit differs by"]
    before = tried.computed_alone
    tried.score([([beyond], FACTS)] * 2)
    assert tried.computed_alone == before + 2


IN_COMPANY = {precision: largest / 4 for precision, (largest, _) in TOLERANCES.items()}
"""What company may do to a logit of these checkpoints, whose random weights make them less exact than trained ones."""

LENGTHS = (3, 5, 5, 9, 17, 33, 64)
PRECISIONS = [
    Precision.FLOAT32,
    Precision.BFLOAT16,
    pytest.param(
        Precision.INT8, marks=pytest.mark.skipif(not multiplies_int8(), reason="this CPU has no 8-bit products")
    ),
]


class Fuzzed:
    """A small checkpoint in one precision, with the logits of each window computed alone."""

    def __init__(self, folder: Path, precision: Precision) -> None:
        self.forward = build(folder, precision, threads=2)
        self.windows = windows_of(folder, LENGTHS)
        self.alone = torch.cat([self.forward.logits([window]) for window in self.windows])


fuzzed = cache(Fuzzed)


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=20)
@given(order=st.lists(st.integers(0, len(LENGTHS) - 1), min_size=2, max_size=10), target=st.integers(0, 9))
def test_no_batch_turns_a_verdict_of_a_real_forward_pass_at_a_threshold_that_is_the_texts_own_score(
    precision: Precision, bert: Path, order: list[int], target: int
) -> None:
    given_ = fuzzed(bert, precision)
    own = order[target % len(order)]
    scores = torch.round(torch.sigmoid(given_.alone[own]).double(), decimals=6).tolist()
    labels = [f"l{index}" for index in range(len(scores))]
    tried = scorer(given_.forward, scores, [min(1.0, score + 1e-6) for score in scores], IN_COMPANY[precision], labels)
    together = tried.score([([given_.windows[index]], FACTS) for index in order])
    alone = {index: tried.score([([given_.windows[index]], FACTS)])[0] for index in set(order)}
    assert [verdict(found) for found in together] == [verdict(alone[index]) for index in order]


@pytest.mark.parametrize("precision", PRECISIONS)
@settings(max_examples=20)
@given(order=st.permutations(range(len(LENGTHS))), size=st.integers(2, len(LENGTHS)))
def test_a_logit_stays_within_the_tolerance_in_every_batch(
    precision: Precision, bert: Path, order: list[int], size: int
) -> None:
    given_ = fuzzed(bert, precision)
    chosen = order[:size]
    together = given_.forward.logits([given_.windows[index] for index in chosen])
    assert (together - given_.alone[chosen]).abs().max() <= IN_COMPANY[precision]
