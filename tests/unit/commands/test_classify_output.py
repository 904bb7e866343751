"""What `sluice classify` writes can be joined back to what it read, in every format."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from testkit.keyword_classifier import UNSCORABLE, KeywordClassifier, Words
from worker.__main__ import main
from worker.errors import ModelFault, SettingsInvalid
from worker.reasons.spans import LabelReasons, Reason, Reasons, Span
from worker.types import Classification, Unscorable


@pytest.fixture(autouse=True)
def keyword_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("worker.classifier.Classifier.load", lambda *_, **__: KeywordClassifier())


@pytest.fixture
def given(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    lines = [{"id": 7, "text": "stupid"}, {"text": "fine"}, {"id": "c", "text": UNSCORABLE}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_json_lines_begin_with_the_files_id_or_its_line(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "--input", str(given), "--json"]) == ModelFault.exit_code
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [next(iter(one.items())) for one in found] == [("id", "7"), ("id", "in.jsonl:2"), ("id", "c")]
    assert [one.get("labels") for one in found] == [["toxic"], [], None]
    assert not any("comment" in one for one in found), "the text only if asked for"


def test_the_text_comes_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "--json", "--with-text", "stupid", "--", "-_-"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["id"], one["comment"]) for one in found] == [("1", "stupid"), ("2", "-_-")]


def test_blank_plain_lines_keep_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.txt").write_text("stupid\n\nfine\n", encoding="utf-8")
    assert main(["classify", "--input", "in.txt", "--json"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [
        "in.txt:1",
        "in.txt:2",
        "in.txt:3",
    ]


@pytest.mark.parametrize("with_text", [True, False])
def test_a_csv_file_has_a_row_for_each_text(
    given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, with_text: bool
) -> None:
    arguments = ["classify", "--input", str(given), "--output", "out.csv", *(["--with-text"] if with_text else [])]
    assert main(arguments) == ModelFault.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert "3 results written to out.csv" in said.err
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["7", "in.jsonl:2", "c"]
    assert [row["flagged"] for row in rows] == ["true", "false", ""]
    assert [row["labels"] for row in rows] == ["toxic", "", ""]
    assert float(rows[0]["toxic"]) > float(rows[1]["toxic"])
    assert [row["error"] for row in rows] == ["", "", "NonFiniteScore"]
    assert [row.get("text") for row in rows] == (["stupid", "fine", UNSCORABLE] if with_text else [None] * 3)


def test_reasons_have_a_column_of_json_where_they_are_asked_for(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = [Reason(Span(0, 6, 0, 6), 1.0)]

    class Explaining(KeywordClassifier):
        def score(self, encoded: Sequence[Words]) -> list[Classification | Unscorable]:
            return [
                one._replace(reasons=Reasons("by-word@1", {"toxic": LabelReasons(tuple(spans), None)}))
                if isinstance(one, Classification) and one.labels
                else one
                for one in super().score(encoded)
            ]

    monkeypatch.setattr("worker.classifier.Classifier.load", lambda *_, **__: Explaining())
    for file, asked in (("plain.csv", []), ("why.csv", ["--reasons"])):
        main(["classify", "--input", str(given), "--output", file, *asked])
    with (tmp_path / "why.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert json.loads(rows[0]["reasons"])["labels"]["toxic"]["spans"][0]["end"] == 6
    assert [row["reasons"] for row in rows[1:]] == ["", ""]
    assert "reasons" not in (tmp_path / "plain.csv").read_text(encoding="utf-8").splitlines()[0]


def test_a_json_lines_file_holds_what_stdout_would(
    given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["classify", "--input", str(given), "--json"])
    on_stdout = capsys.readouterr().out
    main(["classify", "--input", str(given), "--output", "out.jsonl"])
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == on_stdout


def test_a_parquet_file_keeps_the_types(given: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra `parquet`)")
    main(["classify", "--input", str(given), "--output", "out.parquet"])
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [(row["id"], row["flagged"], row["labels"], row["error"]) for row in rows] == [
        ("7", True, ["toxic"], None),
        ("in.jsonl:2", False, [], None),
        ("c", None, None, "NonFiniteScore"),
    ]
    assert rows[2]["toxic"] is None


@pytest.mark.parametrize("name", ["out.xlsx", "out", "there.csv", "there.parquet", "nowhere/out.jsonl"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_scored(
    name: str, given: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for there in ("there.csv", "there.parquet"):
        (tmp_path / there).write_text("mine", encoding="utf-8")
    assert main(["classify", "--input", str(given), "--output", name]) == SettingsInvalid.exit_code
    assert name in capsys.readouterr().err
    assert (tmp_path / "there.csv").read_text(encoding="utf-8") == "mine"


def test_an_empty_file_is_not_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    assert main(["classify", "--input", "empty.csv"]) == 0
    assert "no comments in empty.csv" in capsys.readouterr().err
