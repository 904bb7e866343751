"""The forward passes on a CUDA device give plain transformers' logits; skipped where there is none."""

from pathlib import Path

import pytest
import torch

from testkit.checkpoints import Checkpoints
from tests.unit.classifier.forward.reference import TOLERANCES, build, plain, windows_of
from tests.unit.classifier.forward.test_packed import KNOWN, UNKNOWN
from worker.classifier import Classifier
from worker.classifier.forward.packed import PackedForward
from worker.classifier.forward.padded import PaddedForward
from worker.classifier.machine.hardware import CPU_PASS_TOKENS, GPU_PASS_TOKENS
from worker.settings import Precision, ReasonMethod
from worker.types import Classification

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

TUTORIAL = "You are a stupid, idiotic jerk. I hate you."


@pytest.mark.parametrize("max_tokens", [CPU_PASS_TOKENS, GPU_PASS_TOKENS])
@pytest.mark.parametrize("architecture", KNOWN)
def test_packed_logits_agree_with_plain_transformers(
    architecture: str, max_tokens: int, checkpoints: Checkpoints
) -> None:
    folder = checkpoints(architecture)
    windows = windows_of(folder)
    forward = build(folder, Precision.BFLOAT16, max_tokens, device="cuda")
    assert isinstance(forward, PackedForward)
    assert forward.precision == "bfloat16"
    difference = (forward.logits(windows) - plain(folder, windows)).abs()
    largest, mean = TOLERANCES[Precision.BFLOAT16]
    assert difference.max() <= largest
    assert difference.mean() <= mean


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.BFLOAT16])
@pytest.mark.parametrize("architecture", [*UNKNOWN, "bert"])
def test_padded_logits_agree_with_plain_transformers(
    architecture: str, precision: Precision, checkpoints: Checkpoints
) -> None:
    if architecture == "bert" and precision is Precision.BFLOAT16:
        pytest.skip("it is packed")
    folder = checkpoints(architecture)
    windows = windows_of(folder)
    forward = build(folder, precision, device="cuda")
    assert isinstance(forward, PaddedForward)
    difference = (forward.logits(windows) - plain(folder, windows)).abs()
    largest, mean = TOLERANCES[precision] if precision is Precision.BFLOAT16 else (1e-3, 1e-4)
    assert difference.max() <= largest
    assert difference.mean() <= mean


@pytest.mark.parametrize("architecture", ["roberta", "bert"])
def test_a_padding_token_typed_into_a_text_is_read_as_transformers_reads_it(
    architecture: str, checkpoints: Checkpoints
) -> None:
    folder = checkpoints(architecture)
    windows = windows_of(folder, (9, 6, 9))
    windows[0][4] = windows[0][5] = windows[1][0] = windows[2][8] = 0
    got = build(folder, Precision.BFLOAT16, device="cuda").logits(windows)
    assert (got - plain(folder, windows)).abs().mean() <= TOLERANCES[Precision.BFLOAT16][1]


def test_company_changes_no_logit_by_more_than_the_tolerance(bert: Path) -> None:
    forward = build(bert, Precision.BFLOAT16, GPU_PASS_TOKENS, device="cuda")
    windows = windows_of(bert) * 40
    together = forward.logits(windows)
    alone = torch.cat([forward.logits([window]) for window in windows[:11]])
    assert (together[:11] - alone).abs().max() <= TOLERANCES[Precision.BFLOAT16][0] / 4
    torch.testing.assert_close(forward.logits(windows[::-1]).flip(0), together, rtol=0, atol=0.125)


def test_the_tutorial_sentence_is_flagged_with_its_reasons() -> None:
    classifier = Classifier.load("sluice-mini", device="cuda", reasons=ReasonMethod.ON)
    assert classifier.identity.precision == "bfloat16"
    assert classifier.pass_tokens == GPU_PASS_TOKENS
    abusive, friendly = classifier.classify([TUTORIAL, "Thank you for your help with the article."])
    assert abusive.labels == ("toxic", "obscene", "insult")
    assert abusive.reasons
    assert friendly.labels == ()


def test_scores_are_those_of_the_cpu() -> None:
    texts = [TUTORIAL, "Thank you.", "i d i o t", "word " * 3000, "What a lovely day it is. " * 20, "\U0001f600"]
    on_cpu = Classifier.load("sluice-mini", device="cpu", precision="float32").classify(texts)
    on_gpu = Classifier.load("sluice-mini", device="cuda").classify(texts)
    for one, other in zip(on_cpu, on_gpu, strict=True):
        assert isinstance(other, Classification)
        assert one.labels == other.labels
        assert one.scores == pytest.approx(other.scores, abs=0.03)


def test_a_batch_too_large_for_the_memory_is_computed_in_parts(bert: Path) -> None:
    classifier = Classifier.load(str(bert), device="cuda", multi_label=True, max_pass_tokens=1_000_000)
    texts = [f"{'some words of a text ' * 80} {number}" for number in range(400)]
    expected = classifier.classify(texts[:5])
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_reserved() + 64 * 2**20
    torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.mem_get_info()[1])
    try:
        found = classifier.classify(texts)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert classifier.facts().memory_halvings >= 1
    for one, other in zip(expected, found, strict=False):
        assert one.scores == pytest.approx(other.scores, abs=0.05)
