"""How scores that are not finite, a lack of memory and a broken device are handled."""

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from worker.classifier import Classifier
from worker.classifier.forward.forward import Marks
from worker.classifier.forward.out_of_memory import MemoryBound
from worker.classifier.logit_scorer import Evidence, LogitScorer
from worker.errors import Fatal, ModelFault, Poison
from worker.types import Classification, TextFacts, Unscorable
from worker.verdicts import ThresholdSet

Windows = Sequence[Sequence[int]]


class Scripted:
    """A forward pass that derives two logits of each window from its first token; a rule may raise an error first.

    Attributes:
        calls: The windows of each call.
    """

    precision = "bfloat16"
    padded_tokens = 0

    def __init__(self, rule: Callable[[Windows], None] = lambda _: None, broken: Sequence[int] = ()) -> None:
        self._rule = rule
        self._broken = broken
        self.calls: list[list[Sequence[int]]] = []

    def open_lanes(self, wanted: int | None = None) -> int:  # noqa: ARG002 - the protocol's
        return 1

    def logits(self, windows: Windows, marks: Marks | None = None) -> torch.Tensor:
        if marks is not None:
            marks.update((index, torch.tensor([[float(w[0])]])) for index, w in enumerate(windows))
        self.calls.append(list(windows))
        self._rule(windows)
        rows = [[float("nan") if w[0] in self._broken else w[0] / 100, -w[0] / 100] for w in windows]
        return torch.tensor(rows).reshape(-1, 2)


def only(tokens: int, error: Exception) -> Callable[[Windows], None]:
    """A rule: raise `error` when given more than `tokens` tokens."""

    def rule(windows: Windows) -> None:
        if sum(map(len, windows)) > tokens:
            raise error

    return rule


def scorer(forward: Scripted, reference: Scripted | None, tolerance: float = 0.0) -> LogitScorer:
    bound = None if reference is None else (lambda: MemoryBound(reference, 1000))
    return LogitScorer(
        MemoryBound(forward, 1000), ("a", "b"), ThresholdSet("t@1", {"a": 0.5, "b": 0.5}), bound, tolerance
    )


def one_window(*first_tokens: int) -> list[tuple[Windows, TextFacts]]:
    return [([[token]], TextFacts(1, 1, truncated=False)) for token in first_tokens]


def scores(result: Classification | Unscorable) -> list[float]:
    assert isinstance(result, Classification)
    return list(result.scores.values())


def sigmoid(logit: float) -> float:
    return float(torch.sigmoid(torch.tensor(logit)))


OUT_OF_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"),
]


def test_a_score_that_is_not_finite_is_computed_again_in_float32_alone() -> None:
    reference = Scripted()
    tried = scorer(Scripted(broken=[20]), reference)
    first, second, third = tried.score(one_window(10, 20, 30))
    assert reference.calls == [[[20]]]
    assert scores(first) == pytest.approx([sigmoid(0.1), sigmoid(-0.1)], abs=1e-6)
    assert scores(second) == pytest.approx([sigmoid(0.2), sigmoid(-0.2)], abs=1e-6)
    assert scores(third) == pytest.approx([sigmoid(0.3), sigmoid(-0.3)], abs=1e-6)
    assert tried.retries == 1


@pytest.mark.parametrize("reference", [Scripted(broken=[20]), None])
def test_a_text_that_has_no_finite_score_is_unscorable_and_the_others_are_scored(reference: Scripted | None) -> None:
    first, second = scorer(Scripted(broken=[20]), reference).score(one_window(10, 20))
    assert isinstance(first, Classification)
    assert isinstance(second, Unscorable)
    assert second.error == "NonFiniteScore"


def test_one_broken_window_makes_its_text_unscorable() -> None:
    texts = [([[90], [20]], TextFacts(2, 2, truncated=False))]
    (result,) = scorer(Scripted(broken=[20]), None).score(texts)
    assert isinstance(result, Unscorable)


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["python", "cuda", "cpu"])
def test_out_of_memory_halves_the_tokens_at_once_permanently(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    forward = Scripted(only(300, error))
    bound = MemoryBound(forward, 1000)
    windows = [[index] * (100 if index % 2 else 50) for index in range(8)]
    with caplog.at_level(logging.WARNING):
        got = bound.logits(windows)
    assert got[:, 0].tolist() == pytest.approx([index / 100 for index in range(8)])
    assert bound.halvings == 2
    assert [record for record in caplog.records if "SLUICE_MODEL__MAX_PASS_TOKENS" in record.message]
    forward.calls.clear()
    bound.logits(windows)
    assert max(sum(map(len, call)) for call in forward.calls) <= 250
    assert bound.halvings == 2


@given(lengths=st.lists(st.integers(1, 64), min_size=1, max_size=40), fits=st.integers(64, 400))
def test_rows_keep_their_order_with_any_amount_of_memory(lengths: list[int], fits: int) -> None:
    windows = [[index] * length for index, length in enumerate(lengths)]
    got = MemoryBound(Scripted(only(fits, MemoryError())), 2048).logits(windows)
    assert got[:, 0].tolist() == pytest.approx([index / 100 for index in range(len(lengths))])


def test_a_single_window_that_does_not_fit_is_a_model_fault() -> None:
    with pytest.raises(ModelFault, match="SLUICE_MODEL__MAX_WINDOW_TOKENS"):
        MemoryBound(Scripted(only(40, MemoryError())), 1000).logits([[1] * 50])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("CUDA error: an illegal memory access was encountered"), Fatal),
        (torch.AcceleratorError("device-side assert triggered"), Fatal),
        (RuntimeError("shape '[2, 3]' is invalid"), Poison),
        (IndexError("index out of range in self"), Poison),
        (ModelFault("as it is"), ModelFault),
    ],
)
def test_a_broken_device_stops_the_worker_and_a_failed_batch_may_be_divided(
    error: Exception, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        MemoryBound(Scripted(only(0, error)), 1000).logits([[1]])


def test_nothing_to_score_computes_nothing() -> None:
    forward = Scripted()
    assert scorer(forward, None).score([]) == []
    assert forward.calls == []


def test_warming_up_is_not_counted(bert: Path) -> None:
    classifier = Classifier.load(str(bert), precision="float32")
    classifier.warm_up()
    assert classifier.counters.texts == 0


def test_warm_up_refuses_a_model_whose_weights_are_broken(bert: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(bert, broken)
    weights = load_file(broken / "model.safetensors")
    weights["classifier.weight"].fill_(float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFault, match="not finite"):
        Classifier.load(str(broken), precision="float32").warm_up()


def test_the_evidence_of_a_flagged_text_names_the_window_of_each_labels_score_and_holds_its_marks() -> None:
    evidence: dict[int, Evidence] = {}
    texts = [*one_window(10), ([[50], [90], [20]], TextFacts(3, 3, truncated=False))]
    scorer(Scripted(), None).score(texts, evidence)
    assert evidence[1].windows == (1, 2)
    assert {window: mark.tolist() for window, mark in evidence[1].marks.items()} == {0: [[50]], 1: [[90]], 2: [[20]]}


def test_marks_are_those_of_their_window_also_in_parts_that_fit_in_memory() -> None:
    windows = [[index] * length for index, length in enumerate([30, 10, 40, 20, 5])]
    marks: Marks = {}
    MemoryBound(Scripted(only(50, MemoryError())), 100).logits(windows, marks)
    assert {index: mark.tolist() for index, mark in marks.items()} == {index: [[index]] for index in range(5)}
