"""The candidate's process, with small real checkpoints."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from testkit.checkpoints import SENTENCES, make_checkpoint
from testkit.child_process import ROOT
from worker.classifier import Classifier
from worker.settings import CandidateSettings, LogSettings, ModelSettings, Precision, candidate_model
from worker.shadow.candidate import MODULE, Candidate, CandidateEnded, CandidateRefused
from worker.shadow.sampled import Scorer
from worker.types import ModelIdentity, Unscorable

MODEL = ModelSettings(id="in-use", precision=Precision.FLOAT32, threshold=0.6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("candidate"), labels=("toxicity", "insult"), seed=7)


def candidate(folder: Path, names: dict[str, str] | None = None, *, yielding: bool = False) -> Candidate:
    settings = candidate_model(MODEL, CandidateSettings(id=str(folder)))
    return Candidate(settings, LogSettings(), names or {}, yielding=yielding)


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Iterator[Candidate]:
    running = candidate(folder, {"toxicity": "toxic"})
    known = running.loaded()
    assert known.labels == ("toxic", "insult")
    assert known.scores_as(Scorer.of(Classifier.load(MODEL.model_copy(update={"id": str(folder)})))), "once promoted"
    yield running
    running.close()


def test_it_scores_as_it_will_once_it_is_the_model_in_use(folder: Path, loaded: Candidate) -> None:
    texts = [*SENTENCES, "a lone \ud800 surrogate"]
    promoted = Classifier.load(MODEL.model_copy(update={"id": str(folder)}))
    expected = promoted.classify(texts)
    for found, one in zip(loaded.score(texts).verdicts, expected, strict=True):
        assert not isinstance(found, Unscorable)
        assert list(found.scores.values()) == pytest.approx(list(one.scores.values()), abs=2e-6)
        assert found.labels == tuple("toxic" if label == "toxicity" else label for label in one.labels)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has this scheduling policy")
def test_it_runs_behind_everything_else_and_is_the_first_to_go_where_memory_runs_out(folder: Path) -> None:
    running = candidate(folder, yielding=True)
    running.loaded()
    pid = running._process.pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        assert os.sched_getscheduler(int(thread.name)) == os.SCHED_IDLE
    assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
    running.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends it with its worker")
def test_it_ends_when_its_worker_had_ended_before_it_could_ask_to_be_ended_with_it() -> None:
    nobody = 0
    with subprocess.Popen([sys.executable, "-m", MODULE, str(nobody)], stdin=subprocess.PIPE, cwd=ROOT) as process:
        assert process.wait(60) == 0, "its standard input is still open"


def test_it_says_what_it_costs(loaded: Candidate) -> None:
    answer = loaded.score(SENTENCES)
    assert 0 < answer.cpu_seconds < 60
    assert answer.memory_bytes > 50_000_000


def test_signals_for_the_whole_group_leave_it_to_the_worker(loaded: Candidate) -> None:
    for meant_for_the_worker in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(loaded._process.pid, meant_for_the_worker)
    assert loaded.score(["still there"]).verdicts


def test_a_folder_that_is_no_checkpoint_is_refused_with_the_reason(tmp_path: Path) -> None:
    running = candidate(tmp_path)
    with pytest.raises(CandidateRefused, match=r"config\.json"):
        running.loaded()
    running.close()


def test_a_name_for_a_label_it_does_not_have_is_refused(folder: Path) -> None:
    running = candidate(folder, {"spam": "toxic"})
    with pytest.raises(CandidateRefused, match="no label spam; it has toxicity, insult"):
        running.loaded()
    running.close()


LOADED = json.dumps(
    {
        "identity": ModelIdentity("it", "1", "sha256:" + "a" * 64, "float32")._asdict(),
        "threshold_set": "default@1",
        "limits": "of-its-values",
        "view": None,
        "labels": ["toxic"],
    }
)
SCORED = {"scores": {"toxic": 0.5}, "labels": [], "acted": []}


def scored(*results: object, **others: object) -> str:
    return json.dumps({"results": results, "cpu_seconds": 0.1, "memory_bytes": 1, **others})


def speaking(lines: Sequence[str], monkeypatch: pytest.MonkeyPatch, folder: Path, status: int = 0) -> Candidate:
    """A candidate whose process answers with these lines, one for each that it is asked, and takes a while to exit."""
    code = (
        f"import os, sys, time\nfor line in {list(lines)!r}:\n    sys.stdin.readline()\n    print(line, flush=True)\n"
    )
    folder.joinpath("speaking_candidate.py").write_text(
        code + f"os.close(1)\ntime.sleep(0.2)\nos._exit({status})\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr("worker.shadow.candidate.MODULE", "speaking_candidate")
    return candidate(folder)


@pytest.mark.parametrize("answer", ["no JSON", "[]", "{}", '{"labels": 7}', LOADED.replace("precision", "precise")])
def test_a_candidate_that_says_nonsense_of_itself_has_ended(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = speaking([answer], monkeypatch, tmp_path)
    with pytest.raises(CandidateEnded, match="makes no sense"):
        running.loaded()
    running.close()


@pytest.mark.parametrize(
    "answer",
    [
        "null",
        scored(SCORED),
        scored(SCORED, SCORED, SCORED),
        scored(SCORED, {"scores": 7}),
        scored(SCORED, SCORED | {"scores": {"toxic": "high"}}),
        scored(SCORED, SCORED, cpu_seconds=None),
    ],
)
def test_a_candidate_that_answers_nonsense_has_ended(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    running = speaking([LOADED, answer], monkeypatch, tmp_path)
    assert running.loaded().labels == ("toxic",)
    with pytest.raises(CandidateEnded, match="makes no sense"):
        running.score(["one", "two"])
    running.close()


def test_a_candidate_that_exits_is_not_said_to_be_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    running = speaking([LOADED], monkeypatch, tmp_path, status=3)
    assert running.loaded().labels == ("toxic",)
    with pytest.raises(CandidateEnded, match="exit code 3"):
        running._receive()
    running.close()


def test_whoever_waits_for_it_learns_that_it_was_killed(folder: Path) -> None:
    running = candidate(folder)
    threading.Timer(0.2, running.kill).start()
    with pytest.raises(CandidateEnded, match="killed by signal 9"):
        running.loaded()
    running.close()
