"""`sluice evaluate` and `sluice thresholds`, on a file and with a real, cheap classifier."""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from testkit.keyword_classifier import UNSCORABLE, KeywordClassifier
from worker.__main__ import main
from worker.classifier.checkpoint.thresholds import load_thresholds
from worker.verdicts import MadeFor

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


def test_a_report_is_one_page_with_its_figures_beside_it(
    labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    figures = printed(["evaluate", labelled, "--json", "--report", str(report)], capsys)
    document = report.read_text(encoding="utf-8")
    assert "keywords on labelled.csv" in document
    assert "what a jerk" not in document
    beside = json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))
    assert beside["labels"]["toxic"]["quality"]["recall"] == figures["labels"]["toxic"]["recall"]


def test_texts_and_languages_of_the_file_are_in_the_report_if_asked_for(
    labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(labelled)
    rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join(f"{row},{tongue}" for row, tongue in zip(rows, ("tongue", "en", "xx", "en"), strict=True))
    )
    report = tmp_path / "report.html"
    assert main(["evaluate", labelled, "--report", str(report), "--with-text", "--language-column", "tongue"]) == 0
    document = report.read_text(encoding="utf-8")
    assert "what a jerk, really" in document
    assert "<td>xx</td>" in document
    assert str(report) in capsys.readouterr().err


def test_a_report_of_another_suffix_is_refused_before_anything_is_scored(
    labelled: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", labelled, "--report", "report.pdf"]) == 2
    assert "suffix .html" in capsys.readouterr().err


def many(path: str) -> str:
    """The labelled rows thirty times: enough for a rule that has to be certain."""
    head, *rows = ROWS.splitlines()
    numbered = [f"{number}{row[1:]}".replace("jerk,", "jerk") for number in range(30) for row in rows]
    Path(path).write_text("\n".join([head, *numbered]) + "\n", encoding="utf-8")
    return path


def test_a_chosen_set_is_one_the_worker_loads(
    labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, plot = tmp_path / "mine.json", tmp_path / "plot.svg"
    asked = ["--least-recall", "0.5", "--few", "never", "--name", "mine@2", "--plot", str(plot)]
    assert main(["thresholds", many(labelled), *asked, "--output", str(output)]) == 0
    printed = capsys.readouterr()
    assert "threat: the tier act is never reached: 0 texts have it, and it takes 25." in printed.err
    assert "toxic: 60 of 90 texts have it" in printed.out
    assert plot.read_text(encoding="utf-8").startswith("<svg")
    found = load_thresholds(KeywordClassifier.labels, tmp_path, output, 0.5)
    assert found.used_with(KeywordClassifier.identity.digest, foreign=False).made_for == MadeFor.THIS_MODEL
    assert found.thresholds.name == "mine@2"
    assert found.thresholds.act.keys() == {"toxic", "insult"}
    assert found.thresholds.values.keys() == {"toxic", "insult"}
    content = json.loads(output.read_text(encoding="utf-8"))
    assert content["data"]["positives"] == {"toxic": 60, "insult": 30, "threat": 0}
    assert content["data"]["digest"] == "sha256:" + sha256(Path(labelled).read_bytes()).hexdigest()
    assert content["rule"]["act"] == {"precision": 0.9, "confidence": 0.95, "bound": "wilson"}
    assert date.fromisoformat(content["date"])


def test_too_few_texts_are_refused_with_how_many_it_takes(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["thresholds", labelled]) == 2
    error = capsys.readouterr().err
    assert "toxic: 2 texts have it, the tier act at precision 0.9 takes 25" in error
    assert "--few never" in error


def test_the_set_alone_is_on_stdout_where_no_file_is_named(labelled: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["thresholds", labelled, "--rule", "best-f1", "--few", "never"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["labels"]["threat"] == {"review": None, "act": None}
    assert "toxic: 2 of 3 texts have it" in printed.err


def test_an_existing_set_is_not_changed(labelled: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mine.json"
    output.write_text("kept", encoding="utf-8")
    assert main(["thresholds", labelled, "--few", "never", "--output", str(output)]) == 2
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
