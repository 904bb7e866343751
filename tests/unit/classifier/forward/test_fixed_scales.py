"""int8 with scales fixed beforehand: close to plain transformers, the same in any company, and cut at the ranges."""

from pathlib import Path

import pytest
import torch

from testkit.checkpoints import Checkpoints
from tests.unit.classifier.forward.reference import TOLERANCES, load, plain, windows_of
from worker.classifier.checkpoint.int8_ranges import RANGES_FILE, read_ranges, write_ranges
from worker.classifier.forward.architecture import describe
from worker.classifier.forward.build import build_packed
from worker.classifier.forward.fixed_scales import FixedBlock, Quantizer
from worker.classifier.forward.packed import PackedForward
from worker.classifier.forward.ranges import Ranges, watched
from worker.classifier.forward.trial import ForwardTrial
from worker.classifier.machine.hardware import multiplies_int8
from worker.settings import Precision

KNOWN = ("bert", "distilbert", "roberta", "albert", "electra", "minilm")

pytestmark = pytest.mark.skipif(not multiplies_int8(), reason="this CPU has no 8-bit products (VNNI, AMX)")


def ranges_of(folder: Path, windows: list[list[int]]) -> dict[int, Ranges]:
    model = load(folder)
    encoder = describe(model, type(model).__name__)
    assert encoder is not None
    forward, found = watched(encoder, 700)
    got = forward.logits(windows)
    torch.testing.assert_close(got, plain(folder, windows), rtol=0, atol=1e-4)  # watching changes nothing
    return found


def build_int8(folder: Path, ranges: dict[int, Ranges] | None) -> PackedForward:
    model = load(folder)
    encoder = describe(model, type(model).__name__)
    assert encoder is not None
    windows = windows_of(folder, (3, 17))
    forward = build_packed(
        encoder,
        ForwardTrial(windows, plain(folder, windows)),
        name=type(model).__name__,
        device=torch.device("cpu"),
        precision=Precision.INT8,
        max_tokens=700,
        ranges=ranges,
    )
    assert forward is not None
    return forward


def is_fixed(forward: PackedForward) -> bool:
    return all(isinstance(block, FixedBlock) for block in forward._blocks)


@pytest.mark.parametrize("architecture", KNOWN)
def test_logits_agree_with_plain_transformers(architecture: str, checkpoints: Checkpoints) -> None:
    folder = checkpoints(architecture)
    windows = windows_of(folder)
    forward = build_int8(folder, ranges_of(folder, windows))
    assert is_fixed(forward)
    assert forward.precision == "int8"
    difference = (forward.logits(windows) - plain(folder, windows)).abs()
    largest, mean = TOLERANCES[Precision.INT8]
    assert 0 < difference.max() <= largest
    assert difference.mean() <= mean


def test_a_window_scores_the_same_alone_and_in_any_batch(bert: Path) -> None:
    windows = windows_of(bert)
    forward = build_int8(bert, ranges_of(bert, windows))
    together = forward.logits(windows)
    alone = torch.cat([forward.logits([window]) for window in windows])
    backwards = forward.logits(windows[::-1]).flip(0)
    tolerance = TOLERANCES[Precision.INT8][0] / 4
    torch.testing.assert_close(alone, together, rtol=0, atol=tolerance)
    torch.testing.assert_close(backwards, together, rtol=0, atol=tolerance)


def test_what_is_beyond_the_ranges_is_cut_to_them() -> None:
    quantizer = Quantizer(torch.tensor([1.0, 10.0]), torch.tensor([[1.0, 1.0]]))
    rows = torch.tensor([[0.0, 0.0], [1.0, 10.0], [-1.0, -10.0], [300.0, 3000.0], [-1e30, -torch.inf], [0.4, -7.3]])
    quantized = quantizer(rows)
    assert quantized.dtype == torch.uint8
    assert quantized[0].tolist() == [128, 128]
    assert quantized[3].tolist() == [255, 255]
    assert quantized[4].tolist() == [0, 0]
    # What stands for a row comes back within half a step, through weights that were multiplied by the factors.
    got = (quantized[[1, 2, 5]].float() - 128) * quantizer.scale * quantizer.meeting(torch.tensor([[1.0, 1.0]]))
    wanted = rows[[1, 2, 5]] * torch.tensor([1.0, 1.0])
    assert ((got - wanted).abs() <= quantizer.scale * quantizer.meeting(torch.tensor([[1.0, 1.0]])) * 0.51).all()


def test_ranges_of_another_model_are_not_used(
    checkpoints: Checkpoints, bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = checkpoints("minilm")
    ranges = ranges_of(other, windows_of(other))
    ranges.pop(max(ranges))
    forward = build_int8(bert, ranges)
    assert not is_fixed(forward)
    assert "do not serve" in caplog.text


def test_ranges_that_would_ruin_the_scores_are_not_used(bert: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = ranges_of(bert, windows_of(bert))
    ruined = {place: Ranges(*(torch.full_like(part, 1e-3) for part in tensors_of(one))) for place, one in found.items()}
    forward = build_int8(bert, ruined)
    assert not is_fixed(forward)
    assert "do not serve" in caplog.text


def tensors_of(ranges: Ranges) -> list[torch.Tensor]:
    return [ranges.before, ranges.mixed, ranges.between, ranges.inner, ranges.lowest]


def test_the_file_keeps_the_ranges_of_its_own_model(
    tmp_path: Path, bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_ranges(tmp_path, lambda: "sha256:1") is None
    found = ranges_of(bert, windows_of(bert))
    write_ranges(tmp_path, "sha256:1", found)
    read = read_ranges(tmp_path, lambda: "sha256:1")
    assert read is not None
    assert read.keys() == found.keys()
    for place, one in found.items():
        for got, wanted in zip(tensors_of(read[place]), tensors_of(one), strict=True):
            assert torch.equal(got, wanted)
    assert not caplog.text
    assert read_ranges(tmp_path, lambda: "sha256:2") is None
    assert "another model" in caplog.text
    (tmp_path / RANGES_FILE).write_bytes(b"no tensors")
    assert read_ranges(tmp_path, lambda: "sha256:1") is None
    assert "cannot be read" in caplog.text
