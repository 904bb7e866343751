"""A checkpoint with a golden record loads without transformers, scores the same, and is still checked."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from testkit.checkpoints import SENTENCES, Checkpoints, reference_scores
from worker.classifier import Classifier
from worker.classifier.checkpoint.checkpoint import find_checkpoint
from worker.classifier.checkpoint.golden import GOLDEN_FILE, write_golden
from worker.classifier.loading import assemble as assembly
from worker.classifier.loading.recording import record_reference
from worker.errors import ModelFault
from worker.settings import ModelSettings

KNOWN = ("bert", "distilbert", "roberta", "xlm-roberta", "camembert", "albert", "electra", "minilm")
FLOAT32 = 1e-5


@pytest.fixture
def recorded(tmp_path: Path, bert: Path) -> Path:
    """A BERT checkpoint for one test, with its golden record."""
    return with_record(bert, tmp_path / "bert")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the checkpoints that transformers loaded."""
    asked: list[str] = []
    through_transformers = assembly.load_with_transformers

    def counting(checkpoint, *rest):  # type: ignore[no-untyped-def] # stands in for any signature
        asked.append(checkpoint.id)
        return through_transformers(checkpoint, *rest)

    monkeypatch.setattr(assembly, "load_with_transformers", counting)
    return asked


def with_record(source: Path, folder: Path) -> Path:
    shutil.copytree(source, folder)
    write_golden(folder, record_reference(find_checkpoint(ModelSettings(id=str(folder)))))
    return folder


def change_record(folder: Path, name: str, value: object) -> None:
    file = folder / GOLDEN_FILE
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), name: value}), encoding="utf-8")


def largest_difference(folder: Path) -> float:
    """Largest difference of a score from plain transformers."""
    found = Classifier.load(str(folder), precision="float32").classify(SENTENCES)
    scores = torch.tensor([list(one.scores.values()) for one in found])
    return float((scores - reference_scores(folder, SENTENCES)).abs().max())


@pytest.mark.parametrize("architecture", KNOWN)
def test_a_recorded_checkpoint_scores_as_transformers_does_without_it(
    architecture: str, checkpoints: Checkpoints, tmp_path: Path, loads: list[str]
) -> None:
    folder = with_record(checkpoints(architecture), tmp_path / architecture)
    limit = Classifier.load(str(checkpoints(architecture)), precision="float32").window_tokens
    loads.clear()
    assert largest_difference(folder) < FLOAT32
    assert Classifier.load(str(folder), precision="float32").window_tokens == limit
    assert not loads


@pytest.mark.parametrize("architecture", ["mpnet", "deberta-v2"])
def test_an_architecture_that_only_transformers_supports_gets_no_record(
    architecture: str, checkpoints: Checkpoints
) -> None:
    with pytest.raises(ModelFault, match="cannot be loaded without transformers"):
        record_reference(find_checkpoint(ModelSettings(id=str(checkpoints(architecture)))))


def test_a_record_of_other_files_is_ignored(recorded: Path, loads: list[str]) -> None:
    with (recorded / "config.json").open("a", encoding="utf-8") as config:
        config.write("\n")
    assert largest_difference(recorded) < FLOAT32
    assert loads


def test_a_checkpoint_that_differs_from_its_record_is_loaded_with_transformers(
    recorded: Path, loads: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    golden = json.loads((recorded / GOLDEN_FILE).read_text(encoding="utf-8"))
    for name, value in (
        ("logits", [[-logit for logit in row] for row in golden["logits"]]),
        ("token_ids", golden["token_ids"][::-1]),
    ):
        loads.clear()
        change_record(recorded, name, value)
        assert largest_difference(recorded) < FLOAT32
        assert loads
        assert "differs from its golden record" in caplog.text
        change_record(recorded, name, golden[name])


@pytest.mark.parametrize("content", ["", "[]", '{"digest": "sha256:0"}'])
def test_an_unreadable_record_only_costs_time(
    content: str, recorded: Path, loads: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (recorded / GOLDEN_FILE).write_text(content, encoding="utf-8")
    assert largest_difference(recorded) < FLOAT32
    assert loads
    assert "cannot be read" in caplog.text


def test_overwriting_the_weights_of_a_loaded_model_does_not_change_its_scores(recorded: Path) -> None:
    classifier = Classifier.load(str(recorded), precision="float32")
    before = classifier.classify(SENTENCES)
    weights = recorded / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(weights.stat().st_size // 2)
        file.write(b"\x00" * (weights.stat().st_size // 2))
    assert classifier.classify(SENTENCES) == before
