"""The candidate's settings are a section within a section, from every source."""

from pathlib import Path

import pytest

from worker.__main__ import main
from worker.errors import SettingsInvalid
from worker.settings import CandidateSettings, ModelSettings, Precision, ReasonMethod, candidate_model
from worker.settings.configuration import load
from worker.settings.origins import Origins


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_candidate_comes_from_a_variable_a_table_or_a_flag(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_SHADOW__MODEL__ID", "./of-the-environment")
    monkeypatch.setenv("SLUICE_SHADOW__LABELS", '{"toxicity": "toxic"}')
    assert load().shadow.model.id == "./of-the-environment"
    assert load().shadow.labels == {"toxicity": "toxic"}
    file = tmp_path / "sluice.toml"
    file.write_text('[shadow]\nsample = 0.2\n[shadow.model]\nid = "./of-the-file"\n', encoding="utf-8")
    assert load(file).shadow.model.id == "./of-the-file"
    flags = {"shadow.model.id": "./of-a-flag"}
    assert load(file, flags).shadow.model.id == "./of-a-flag"
    assert Origins(file, {}, None).of("shadow.model.id") == str(file)
    assert Origins(None, {}, None).of("shadow.model.id") == "environment"
    assert Origins(file, flags, None).of("shadow.model.id") == "flag"


def test_a_wrong_name_within_it_is_refused_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_SHADOW__MODEL__IDD", "x")
    with pytest.raises(SettingsInvalid, match="did you mean SLUICE_SHADOW__MODEL__ID"):
        load()
    monkeypatch.delenv("SLUICE_SHADOW__MODEL__IDD")
    with pytest.raises(SettingsInvalid, match=r"did you mean shadow\.model\.id"):
        load(flags={"shadow.model.idd": "x"})


def test_config_prints_a_file_that_it_reads_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--set", "shadow.model.id=./candidate", "--set", "shadow.sample=0.5"]) == 0
    printed = capsys.readouterr().out
    assert '[shadow.model]\nid = "./candidate"  # flag' in printed
    file = tmp_path / "again.toml"
    file.write_text(printed, encoding="utf-8")
    assert load(file).shadow.model.id == "./candidate"
    assert load(file).shadow.sample == 0.5


@pytest.mark.parametrize("topic", ["comments", "comment-labels", "comments.dlq"])
def test_examples_have_a_topic_of_their_own(topic: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"shadow\.examples_topic must be a topic of its own"):
        load(flags={"shadow.examples_topic": topic})


def test_a_candidate_is_loaded_as_it_would_be_in_the_models_place() -> None:
    model = ModelSettings(
        id="in-use",
        revision="7",
        thresholds=Path("in-use.json"),
        precision=Precision.FLOAT32,
        max_windows=3,
        cache_entries=100,
    )
    found = candidate_model(model, CandidateSettings(id="./candidate", threshold=0.7))
    assert (found.id, found.revision, found.thresholds) == ("./candidate", None, None), "they belong to a model"
    assert (found.precision, found.max_windows, found.threshold) == (Precision.FLOAT32, 3, 0.7)
    assert (found.threads, found.cache_entries, found.reasons) == (1, 0, ReasonMethod.OFF)


def test_a_candidate_leaves_the_gpu_to_the_model_in_use_unless_it_is_told_otherwise() -> None:
    model = ModelSettings(id="in-use", device="cuda")
    assert candidate_model(model, CandidateSettings(id="./candidate")).device == "cpu"
    assert candidate_model(model, CandidateSettings(id="./candidate", device="cuda:1")).device == "cuda:1"
