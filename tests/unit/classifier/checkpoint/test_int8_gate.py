"""int8 is refused for a checkpoint until a trial on labelled data has shown that it loses nothing."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from testkit.checkpoints import LABELS, SENTENCES, make_checkpoint
from worker.classifier import Classifier
from worker.classifier.checkpoint.int8_gate import (
    LEAST_POSITIVES,
    LEAST_TEXTS,
    RESULT_FILE,
    GateResult,
    require_passed,
    write_result,
)
from worker.classifier.checkpoint.int8_ranges import RANGES_FILE
from worker.classifier.forward.forward import Forward, Marks
from worker.classifier.loading.faster_precision import faster_of, int8_is_faster
from worker.classifier.machine.hardware import choose_precision, multiplies_int8
from worker.errors import SettingsInvalid
from worker.quality.int8_trial import compare, try_int8
from worker.quality.labelled import LabelledFile
from worker.settings import ModelSettings, Precision, Settings

needs_int8 = pytest.mark.skipif(not multiplies_int8(), reason="this CPU has no 8-bit products (VNNI, AMX)")

PASSED = GateResult("sha256:abc", 500, 0.0002, -0.0001, 0.999, 0.01)


def test_a_passed_result_opens_the_gate_for_its_digest_only(tmp_path: Path) -> None:
    write_result(tmp_path, PASSED)
    require_passed(tmp_path, "sha256:abc", "mine")
    with pytest.raises(SettingsInvalid, match="sluice quantize"):
        require_passed(tmp_path, "sha256:def", "mine")


@pytest.mark.parametrize("loss", [0.0011, float("nan")])
@pytest.mark.parametrize("field", ["roc_auc_loss", "average_precision_loss"])
def test_a_loss_keeps_the_gate_closed(field: str, loss: float, tmp_path: Path) -> None:
    values = {"roc_auc_loss": 0.0, "average_precision_loss": 0.0, field: loss}
    write_result(tmp_path, GateResult("sha256:abc", 500, flag_agreement=1, largest_difference=0, **values))
    with pytest.raises(SettingsInvalid, match="loses too much"):
        require_passed(tmp_path, "sha256:abc", "mine")


def test_flags_that_turn_keep_the_gate_closed_though_the_order_holds(tmp_path: Path) -> None:
    write_result(tmp_path, GateResult("sha256:abc", 500, 0.0, 0.0, flag_agreement=0.9, largest_difference=0.1))
    with pytest.raises(SettingsInvalid, match="flags that agree 90"):
        require_passed(tmp_path, "sha256:abc", "mine")


def test_a_trial_on_a_few_texts_does_not_pass(tmp_path: Path) -> None:
    write_result(tmp_path, GateResult("sha256:abc", 2, 0.0, 0.0, flag_agreement=1, largest_difference=0))
    with pytest.raises(SettingsInvalid, match="on 2 texts, fewer than 200"):
        require_passed(tmp_path, "sha256:abc", "mine")


@pytest.mark.parametrize("content", [None, "", "[]", '{"digest": "sha256:abc"}'])
def test_no_result_or_a_broken_one_names_the_command(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / RESULT_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match="sluice quantize"):
        require_passed(tmp_path, "sha256:abc", "mine")


def test_the_figures_of_a_trial_are_the_mean_losses_over_labels_that_can_be_ranked() -> None:
    truth = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]] * LEAST_POSITIVES, dtype=float)
    exact = np.array([[0.9, 0.1, 0.1], [0.8, 0.9, 0.1], [0.2, 0.2, 0.1], [0.1, 0.8, 0.1]] * LEAST_POSITIVES)
    tried = exact.copy()
    tried[1::4, 0], tried[2::4, 0] = 0.2, 0.8
    result = compare("d", exact, tried, truth, weights=np.ones(len(truth)), limits=np.full(3, 0.5))
    # Label 0: one of four pairs is reversed (AUC 1 to 0.75; AP 1 to (1 + 2/3) / 2). Label 2 has no positives.
    assert result.roc_auc_loss == pytest.approx(0.25 / 2)
    assert result.average_precision_loss == pytest.approx((1 - (1 + 2 / 3) / 2) / 2)
    assert result.flag_agreement == pytest.approx(10 / 12)
    assert result.largest_difference == pytest.approx(0.6)
    assert not result.passed


def test_a_trial_without_a_label_to_rank_does_not_pass() -> None:
    scores = np.full((2, 1), 0.5)
    result = compare("d", scores, scores, np.zeros((2, 1)), weights=np.ones(2), limits=np.full(1, 0.5))
    assert not result.passed


def write_rows(path: Path, rows: list[list[str]]) -> LabelledFile:
    path.write_text("\n".join(",".join(f'"{cell}"' for cell in row) for row in rows), encoding="utf-8")
    return LabelledFile(path)


@pytest.mark.parametrize(
    ("texts", "positives", "says"),
    [(2, 1, "has 2"), (LEAST_TEXTS, 1, "toxic 1"), (LEAST_TEXTS, 0, "no label has positives")],
)
def test_a_trial_on_too_few_texts_or_positives_is_refused_by_its_reason(
    texts: int, positives: int, says: str, bert: Path, tmp_path: Path
) -> None:
    rows = [[f"text {index}", str(int(index < positives))] for index in range(texts)]
    file = write_rows(tmp_path / "few.csv", [["text", "toxic"], *rows])
    with pytest.raises(SettingsInvalid, match=says):
        try_int8(Settings(model=ModelSettings(id=str(bert))), file, 1.0)


@needs_int8
def test_a_checkpoint_is_refused_until_its_trial_has_passed_and_then_computes_int8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other labels' random scores lie anywhere around their thresholds.
    thresholds = {**dict.fromkeys(LABELS), LABELS[0]: 0.5}
    folder = make_checkpoint(tmp_path / "model", "distilbert", thresholds=thresholds)
    with pytest.raises(SettingsInvalid, match="has not been tried"):
        Classifier.load(str(folder), precision="int8")
    # The float32 scores separate this truth widely, so that 8 bits keep the order.
    exact = Classifier.load(str(folder), precision="float32").classify(SENTENCES)
    head, rows = ["text", *LABELS], []
    for text, result in zip(SENTENCES, exact, strict=True):
        if all(abs(score - 0.5) > 0.1 for score in list(result.scores.values())[:1]):
            rows.append([text, *(str(int(result.scores[LABELS[0]] > 0.5)) for _ in LABELS[:1]), *("0" * 5)])
    data = tmp_path / "labelled.csv"
    rows *= LEAST_TEXTS // len(rows) + 1
    write_rows(data, [head, *rows])
    tried = try_int8(Settings(model=ModelSettings(id=str(folder))), LabelledFile(data), 1.0)
    assert tried.passed
    assert tried.texts == len(rows)
    assert 0 < tried.largest_difference < 0.3
    write_result(folder, tried)
    classifier = Classifier.load(str(folder), precision="int8")
    assert classifier.identity.precision == "int8"
    assert classifier.identity.digest == tried.digest
    assert (folder / RANGES_FILE).is_file()

    # Now `auto` may take it, where it is faster.
    asked = []
    for faster in (True, False):

        def answer(usual: Forward, int8: Forward, longest: int, faster: bool = faster) -> bool:
            asked.append((usual.precision, int8.precision, longest))
            return faster

        monkeypatch.setattr("worker.classifier.loading.faster_precision.int8_is_faster", answer)
        assert (Classifier.load(str(folder)).identity.precision == "int8") is faster
        assert Classifier.load(str(folder), precision="float32").identity.precision == "float32"
    usual = choose_precision(Precision.AUTO, torch.device("cpu")).value
    assert asked == [(usual, "int8", classifier.window_tokens)] * 2
    (folder / RESULT_FILE).unlink()
    assert Classifier.load(str(folder)).identity.precision == usual
    assert len(asked) == 2


def test_a_machine_without_int8_is_reported_before_an_earlier_result_is_touched(
    tmp_path: Path, bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(bert, folder)
    write_result(folder, PASSED)
    monkeypatch.setattr("worker.classifier.forward.build.int8_operators_agree", lambda: False)
    rows = [["text", LABELS[0]], *([f"words {number}", str(number % 2)] for number in range(LEAST_TEXTS))]
    file = write_rows(tmp_path / "labelled.csv", rows)
    with pytest.raises(SettingsInvalid, match="VNNI or AMX"):
        try_int8(Settings(model=ModelSettings(id=str(folder))), file, 1.0)
    require_passed(folder, PASSED.digest, "mine")
    assert not (folder / RANGES_FILE).exists()


def test_auto_stays_as_it_is_where_int8_cannot_be_loaded(caplog: pytest.LogCaptureFixture) -> None:
    usual = Timed("bfloat16", [], [0.0])

    def refused() -> Forward:
        message = "model.precision int8 is not supported here."
        raise SettingsInvalid(message)

    assert faster_of(usual, refused, 512) is usual
    assert "cannot be computed here" in caplog.text


class Timed:
    """A forward pass that takes so many seconds of a clock."""

    def __init__(self, precision: str, seconds: Iterable[float], now: list[float]) -> None:
        self.precision = precision
        self.padded_tokens = 0
        self._seconds = iter(seconds)
        self._now = now

    def open_lanes(self, wanted: int | None = None) -> int:  # noqa: ARG002 - the protocol's
        return 1

    def logits(self, windows: Sequence[Sequence[int]], marks: Marks | None = None) -> torch.Tensor:
        assert marks is None
        assert max(map(len, windows)) == 100
        self._now[0] += next(self._seconds)
        return torch.zeros(len(windows), 1)


@pytest.mark.parametrize(
    ("int8_seconds", "faster"),
    [((9.0, 0.5, 0.5, 0.5), True), ((0.1, 0.95, 0.95, 0.95), False), ((1.0, 0.5, 3.0, 0.8), True)],
    ids=["but for the first round", "by less than a tenth", "at most times"],
)
def test_int8_is_taken_where_it_is_faster_once_warm(int8_seconds: tuple[float, ...], faster: bool) -> None:
    now = [0.0]
    usual, int8 = Timed("bfloat16", [1.0] * 4, now), Timed("int8", int8_seconds, now)
    assert int8_is_faster(usual, int8, longest=100, clock=lambda: now[0]) is faster
