"""`sluice audit` on events of a real, small checkpoint: what it finds, counts, refuses, and how it ends."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import LabelEvent
from testkit.checkpoints import SENTENCES, make_checkpoint
from tests.unit.audit.events import changed, judged, published_by, written
from worker.__main__ import main
from worker.audit.auditor import Auditor
from worker.audit.models import ModelsAtHand
from worker.audit.published import Published, Unaudited
from worker.classifier import Classifier
from worker.errors import AuditFailed
from worker.settings import InputSettings, ModelSettings, NamesPreset, OutputSettings, TextOutput

TEXTS = [*SENTENCES, "y o u  i d i o t, go away", "a longer text. " * 40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_checkpoint(tmp_path_factory.mktemp("audited"), "bert")


@pytest.fixture(scope="module")
def classifier(folder: Path) -> Classifier:
    return Classifier.load(str(folder), precision="float32")


@pytest.fixture(scope="module")
def events(classifier: Classifier) -> list[bytes]:
    return published_by(classifier, TEXTS)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def audit(
    values: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str], *flags: str
) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
    """The exit code, the differences, and the summary."""
    Path("events.jsonl").write_bytes(b"\n".join(values) + b"\n")
    code = main(["audit", "events.jsonl", "--model", str(folder), "--json", *flags])
    *found, last = map(json.loads, capsys.readouterr().out.splitlines())
    return code, found, last["summary"]


def test_untouched_events_have_no_difference_and_the_exit_code_is_0(
    events: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, summary = audit(events, folder, capsys)
    assert (code, found) == (0, [])
    assert (summary["events"], summary["audited"], summary["unaudited"]) == (len(TEXTS), len(TEXTS), {})


def test_a_changed_score_is_reported_by_label_and_the_exit_code_says_so(
    events: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = json.loads(events[3])
    score = event["scores"]["insult"]
    moved = event["scores"] | {"insult": score + 0.1 if score < 0.5 else score - 0.1}
    code, found, summary = audit([*events[:3], changed(events[3], scores=moved)], folder, capsys)
    assert code == AuditFailed.exit_code == 8
    assert {one["label"] for one in found} == {"insult"}
    assert found[0]["event"] == event["id"]
    assert summary["labels"]["insult"]["score"] == 1
    assert summary["labels"]["toxic"]["score"] == 0
    assert summary["differing"] == 1


def test_a_changed_text_is_reported(events: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comment = json.loads(events[0])["comment"] | {"text": "something else entirely, and longer than it was before"}
    code, found, _ = audit([changed(events[0], comment=comment)], folder, capsys)
    assert code == AuditFailed.exit_code
    assert "reading" in {one["kind"] for one in found}


def test_what_cannot_be_audited_is_counted_by_reason_and_fails_only_if_that_is_everything(
    events: list[bytes], classifier: Classifier, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hashed = published_by(classifier, ["a"], OutputSettings(text=TextOutput.HASH))
    omitted = published_by(classifier, ["a"], OutputSettings(text=TextOutput.OMIT))
    foreign = written(judged({"toxic": 0.9, "insult": 0.1}))
    other_view = changed(events[1], view={"version": "canonical@9", "scored": False, "transforms": [], "tokens": 0})
    later = changed(events[2], schema_version="2.0")
    cannot = [*hashed, *omitted, foreign, other_view, later, b"no event"]
    reasons = {
        *(Unaudited.TEXT_HASHED, Unaudited.TEXT_ABSENT, Unaudited.MODEL_ABSENT),
        *(Unaudited.VIEW, Unaudited.SCHEMA_VERSION, Unaudited.NOT_AN_EVENT),
    }
    code, _, summary = audit([events[0], *cannot], folder, capsys)
    assert (code, summary["audited"]) == (0, 1)
    assert summary["unaudited"] == dict.fromkeys(sorted(map(str, reasons)), 1)
    code, _, summary = audit(cannot, folder, capsys)
    assert (code, summary["audited"]) == (AuditFailed.exit_code, 0)


def test_every_reason_is_said_in_words(events: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("events.jsonl").write_bytes(events[0] + b"\n" + written(judged({"toxic": 0.9, "insult": 0.1})) + b"\n")
    assert main(["audit", "events.jsonl", "--model", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "1 of 2 events scored again, 0 differ" in printed
    assert "model-not-at-hand" in printed
    assert "name its folder with --model or --also" in printed


def test_a_model_beside_the_settings_one_is_found_by_its_digest(
    events: list[bytes], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    Path("events.jsonl").write_bytes(b"\n".join(events))
    assert main(["audit", "events.jsonl", "--also", str(moved), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["audited"] == len(events)


def test_an_events_own_words_never_decide_what_is_loaded(
    events: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = json.loads(events[0])["model"] | {"id": str(folder), "digest": "sha256:" + "00" * 32}
    _, _, summary = audit([events[0], changed(events[1], model=model)], folder, capsys)
    assert summary["unaudited"] == {"model-not-at-hand": 1}


def test_events_by_perspectives_names_are_audited_by_the_models_labels(
    classifier: Classifier, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    renamed = published_by(classifier, TEXTS, OutputSettings(label_names=NamesPreset.PERSPECTIVE))
    assert "TOXICITY" in json.loads(renamed[0])["scores"]
    code, found, summary = audit(renamed, folder, capsys)
    assert (code, found) == (0, [])
    assert "toxic" in summary["labels"]


def test_no_events_at_all_are_no_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, summary = audit([], folder, capsys)
    assert (code, summary["events"]) == (0, 0)


def test_the_text_of_a_comment_is_never_printed(
    events: list[bytes], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    zeros = changed(events[0], scores=dict.fromkeys(json.loads(events[0])["scores"], 0.0))
    Path("events.jsonl").write_bytes(zeros)
    assert main(["audit", "events.jsonl", "--model", str(folder)]) == AuditFailed.exit_code
    printed = capsys.readouterr()
    assert TEXTS[0] not in printed.out + printed.err


@settings(max_examples=25)
@given(parts=st.lists(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=7), min_size=1, max_size=4))
def test_whatever_batches_a_worker_made_the_audit_of_its_events_finds_nothing(
    folder: Path, classifier: Classifier, parts: list[list[str]]
) -> None:
    values = [value for part in parts for value in published_by(classifier, part)]
    models = ModelsAtHand(ModelSettings(id=str(folder)), [])
    models._loaded[(classifier.identity.digest, "float32")] = classifier
    auditor = Auditor(models, Published(InputSettings()))
    assert list(auditor.differences(values)) == []
    assert auditor.tally.audited == len(values) == len([LabelEvent.model_validate_json(value) for value in values])
    assert auditor.tally.near_threshold == 0
