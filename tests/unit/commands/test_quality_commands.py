"""`sluice evaluate` and `sluice thresholds`, on a file and with a real, cheap classifier."""

import json
from pathlib import Path
from typing import Any

import pytest

from testkit.keyword_classifier import UNSCORABLE, KeywordClassifier
from worker.__main__ import main
from worker.classifier.checkpoint.thresholds import load_thresholds

ROWS = 'id,text,toxic,insult,threat\n1,you are stupid,1,0,0\n2,a fine day,0,0,0\n3,"what a jerk, really",1,1,0\n'


@pytest.fixture(autouse=True)
def keyword_classifier(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("worker.classifier.Classifier.load", lambda *_args, **_settings: KeywordClassifier())


@pytest.fixture
def labelled(tmp_path: Path) -> str:
    path = tmp_path / "labelled.csv"
    path.write_text(ROWS, encoding="utf-8")
    return str(path)


def printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(arguments) == 0
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_evaluate_gives_each_labels_figures_as_one_object(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    figures = printed(["evaluate", labelled, "--json"], capsys)
    assert figures["model"]["id"] == "keywords"
    assert figures["texts"] == 3
    toxic = figures["labels"]["toxic"]
    assert (toxic["positives"], toxic["precision"], toxic["recall"]) == (2, 1.0, 0.5)
    assert figures["labels"]["threat"]["roc_auc"] is None


def test_evaluate_prints_a_line_for_each_label_and_the_mean(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", labelled]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "keywords revision 1, float32, thresholds default@1, 3 texts"
    assert [line.split()[0] for line in lines[2:]] == ["label", "toxic", "insult", "threat", "mean"]


def test_a_text_that_cannot_be_scored_is_left_out_and_counted(
    labelled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path(labelled).open("a", encoding="utf-8") as file:
        file.write(f"4,{UNSCORABLE},1,1,1\n")
    figures = printed(["evaluate", labelled, "--json"], capsys)
    assert (figures["texts"], figures["unscorable"]) == (3, 1)


def test_plots_are_one_file_for_each_label_with_positives(
    labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    assert main(["evaluate", labelled, "--plots", str(tmp_path / "plots")]) == 0
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["insult.png", "toxic.png"]
    assert "wrote" in capsys.readouterr().err


def test_a_chosen_set_is_one_the_worker_loads(
    labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mine.json"
    assert main(["thresholds", labelled, "--name", "mine@2", "--output", str(output)]) == 0
    assert "threat: no text has it" in capsys.readouterr().err
    loaded = load_thresholds(KeywordClassifier.labels, tmp_path, output, 0.5)
    assert loaded.name == "mine@2"
    assert loaded.values["threat"] == 0.5
    assert json.loads(output.read_text(encoding="utf-8"))["data"]["positives"] == {"toxic": 2, "insult": 1, "threat": 0}


def test_the_precision_rule_claims_nothing_on_three_texts(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    content = printed(["thresholds", labelled, "--rule", "precision", "--json"], capsys)
    assert content["values"] == {"toxic": 1.0, "insult": 1.0, "threat": 1.0}
    assert content["rule"] == {"name": "precision", "precision": 0.9, "confidence": 0.95}
    assert not content["chosen_on"]["toxic"]["reached"]


def test_an_existing_set_is_not_changed(labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mine.json"
    output.write_text("kept", encoding="utf-8")
    assert main(["thresholds", labelled, "--output", str(output)]) == 2
    assert output.read_text(encoding="utf-8") == "kept"
    assert "a set that is in use must not change" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mine", "mine@", "@1", "my set@1"])
def test_a_set_needs_a_version(name: str, labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["thresholds", labelled, "--name", name]) == 2
    assert "give a name and a version" in capsys.readouterr().err


@pytest.mark.parametrize("flag", [["--clean-weight", "0"], ["--clean-weight", "many"], ["--least-precision", "1"]])
def test_a_number_out_of_range_is_refused(flag: list[str], labelled: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["thresholds", labelled, *flag])
    assert ended.value.code == 2
