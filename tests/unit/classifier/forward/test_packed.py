"""The packed forward pass gives plain transformers' logits, for every architecture it supports and every length.

Tolerances, on logits that spread around zero with deviation 1 on ordinary sentences (random weights with a wide
spread): 1e-4 in float32; in bfloat16 0.5, and 0.08 in the mean; in int8 0.8, and 0.12 in the mean. A swapped row or a
lost layer is off by more than 1 in the mean.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from testkit.checkpoints import Checkpoints
from tests.unit.classifier.forward.reference import TOLERANCES, build, load, plain, windows_of
from worker.classifier.forward.packed import PackedForward
from worker.classifier.forward.padded import PaddedForward
from worker.classifier.machine.hardware import multiplies_int8
from worker.errors import SettingsInvalid
from worker.settings import Precision

KNOWN = ("bert", "distilbert", "roberta", "xlm-roberta", "camembert", "albert", "electra", "minilm")
UNKNOWN = ("mpnet", "deberta-v2")

PRECISIONS = [
    Precision.FLOAT32,
    Precision.BFLOAT16,
    pytest.param(
        Precision.INT8,
        marks=pytest.mark.skipif(not multiplies_int8(), reason="this CPU has no 8-bit products (VNNI, AMX)"),
    ),
]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("architecture", KNOWN)
def test_logits_agree_with_plain_transformers(
    architecture: str, precision: Precision, checkpoints: Checkpoints
) -> None:
    folder = checkpoints(architecture)
    windows = windows_of(folder)
    forward = build(folder, precision)
    assert isinstance(forward, PackedForward)
    assert forward.precision == precision.value
    difference = (forward.logits(windows) - plain(folder, windows)).abs()
    largest, mean = TOLERANCES[precision]
    assert difference.max() <= largest
    assert difference.mean() <= mean


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_window_scores_the_same_alone_and_in_any_batch(precision: Precision, bert: Path) -> None:
    forward = build(bert, precision)
    windows = windows_of(bert)
    together = forward.logits(windows)
    alone = torch.cat([forward.logits([window]) for window in windows])
    backwards = forward.logits(windows[::-1]).flip(0)
    tolerance = TOLERANCES[precision][0] / 4
    torch.testing.assert_close(alone, together, rtol=0, atol=tolerance)
    torch.testing.assert_close(backwards, together, rtol=0, atol=tolerance)


@pytest.mark.skipif(not multiplies_int8(), reason="this CPU has no 8-bit products (VNNI, AMX)")
def test_int8_differs_from_bfloat16_so_it_is_computed_in_8_bits(bert: Path) -> None:
    windows = windows_of(bert)
    assert not torch.equal(build(bert, Precision.INT8).logits(windows), build(bert, Precision.BFLOAT16).logits(windows))


@pytest.mark.parametrize("architecture", ["roberta", "bert"])
def test_a_padding_token_typed_into_a_text_is_read_as_transformers_reads_it(
    architecture: str, checkpoints: Checkpoints
) -> None:
    folder = checkpoints(architecture)
    padding = transformers.AutoConfig.from_pretrained(folder).pad_token_id
    windows = windows_of(folder, (9, 6, 9))
    windows[0][4] = windows[0][5] = windows[1][0] = windows[2][8] = padding
    got = build(folder, Precision.FLOAT32).logits(windows)
    torch.testing.assert_close(got, plain(folder, windows), rtol=0, atol=1e-4)


def test_no_windows_give_no_rows(bert: Path) -> None:
    assert build(bert, Precision.FLOAT32).logits([]).shape == (0, 6)


def test_only_the_ladder_is_padding(bert: Path) -> None:
    forward = build(bert, Precision.FLOAT32, max_tokens=2048)
    before = forward.padded_tokens
    forward.logits(windows_of(bert, (180, 44)))
    assert forward.padded_tokens - before == 0
    forward.logits(windows_of(bert, (180, 45)))
    assert forward.padded_tokens - before == 31


@pytest.mark.parametrize("architecture", UNKNOWN)
def test_an_unknown_architecture_is_padded_and_refused_in_int8(architecture: str, checkpoints: Checkpoints) -> None:
    assert isinstance(build(checkpoints(architecture), Precision.FLOAT32), PaddedForward)
    with pytest.raises(SettingsInvalid, match="int8"):
        build(checkpoints(architecture), Precision.INT8)


def test_a_model_that_computes_something_else_under_a_known_name_is_padded(
    bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = load(bert)
    # A fine-tuning script may change what a layer computes without changing its name.
    first: Any = model.bert
    first.encoder.layer[0].output.register_forward_hook(lambda _module, _inputs, out: out * 2)
    forward = build(bert, Precision.FLOAT32, model=model)
    assert isinstance(forward, PaddedForward)
    assert "does not compute what its name implies" in caplog.text
    windows = windows_of(bert, (9, 5))
    with torch.inference_mode():
        expected = torch.cat([model(input_ids=torch.tensor([window])).logits for window in windows])
    torch.testing.assert_close(forward.logits(windows), expected, rtol=0, atol=1e-4)
