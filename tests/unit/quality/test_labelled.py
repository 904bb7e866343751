"""Labelled texts are read unchanged, and a broken row is named by its line, never quoted."""

from pathlib import Path

import pytest

from worker.comments.file_comment import Layout
from worker.errors import SettingsInvalid
from worker.quality.labelled import LabelledFile, read_labelled

LABELS = ("toxic", "insult", "threat")
PRIVATE = "a text nobody may see in an error"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_gives_the_labels_it_has_in_the_models_order(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,insult,text,toxic\n1,1,"two\nlines",0\n2,0,"quote ""q""",1\n')
    found = read_labelled(LabelledFile(path), LABELS)
    assert found.texts == ["two\nlines", 'quote "q"']
    assert found.labels == ("toxic", "insult")
    assert found.truth.tolist() == [[0, 1], [1, 0]]


def test_the_jigsaw_challenges_column_is_known_and_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"\xef\xbb\xbfcomment_text,toxic\nhello,1\n")
    assert read_labelled(LabelledFile(path), LABELS).texts == ["hello"]


def test_json_lines_name_their_labels_or_give_each_a_value(tmp_path: Path) -> None:
    named = written(tmp_path, "a.jsonl", '{"text": "x", "labels": ["threat"]}\n\n{"text": "y", "labels": []}\n')
    assert read_labelled(LabelledFile(named), LABELS).truth.tolist() == [[0, 0, 1], [0, 0, 0]]
    valued = written(tmp_path, "b.ndjson", '{"text": "x", "toxic": true, "insult": 0}\n')
    assert read_labelled(LabelledFile(valued), LABELS).truth.tolist() == [[1, 0]]


def test_a_long_text_is_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"text,toxic\n{'x' * 1_000_000},1\n")
    assert len(read_labelled(LabelledFile(path), LABELS).texts[0]) == 1_000_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", f"text,toxic\n{PRIVATE},2\n", "line 2: toxic must be 0 or 1"),
        ("a.csv", f"text,toxic\nok,1\n{PRIVATE}\n", "line 3: 1 fields, but the header has 2"),
        ("a.csv", f"text,toxic\n{PRIVATE},1,7\n", "line 2: 3 fields, but the header has 2"),
        ("a.csv", f"body,toxic\n{PRIVATE},1\n", "no column is named text"),
        ("a.csv", f"text,fun\n{PRIVATE},1\n", "none of the model's labels. Name its columns"),
        ("a.csv", f'text,toxic\n"{PRIVATE}', "not CSV"),
        ("a.csv", "text,toxic\n", "has no texts"),
        ("a.csv", b"text,toxic\n\xff\xfe,1\n", "line 2: not UTF-8"),
        ("a.jsonl", f'{{"text": "ok", "labels": []}}\n{{"text": "{PRIVATE}"\n', "line 2: not JSON"),
        ("a.jsonl", '{"text": 7, "labels": []}\n', "line 1: there is no string at /text"),
        ("a.jsonl", '{"text": "x", "toxic": 1}\n{"text": "y", "insult": 1}\n', "line 2: it has other labels"),
        ("a.txt", "hello\n", "Give labelled texts as .csv"),
    ],
)
def test_an_error_names_the_line_and_never_quotes_the_text(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read_labelled(LabelledFile(written(tmp_path, name, content)), LABELS)
    assert message in str(caught.value)
    assert PRIVATE not in str(caught.value)


def test_a_list_of_0_and_1_is_multi_hot_in_the_models_order(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"text": "x", "labels": [1.0, 0.0, 1]}\n{"text": "y", "labels": [0, 0, 0]}\n')
    found = read_labelled(LabelledFile(path), LABELS)
    assert found.labels == LABELS
    assert found.truth.tolist() == [[1, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            '["Toxic"]',
            "labels holds 'Toxic', a label that the model does not have; its labels are toxic, insult, threat",
        ),
        ('["toxic", "SAFE"]', "labels holds 'SAFE'"),
        ("[0, 1]", "not a 0 or 1 for each of the model's 3 labels"),
        ("[0, 1, 2]", "not a 0 or 1 for each of the model's 3 labels"),
        ("[0, 1, null]", "not a 0 or 1 for each of the model's 3 labels"),
        ('["toxic", 1, 0]', "not a 0 or 1 for each of the model's 3 labels"),
        ('[1, 0, 0], "toxic": 1', "it has both a list labels and a value for toxic"),
    ],
)
def test_a_list_of_something_else_is_refused_never_read_as_clean(labels: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", f'{{"text": "x", "labels": []}}\n{{"text": "{PRIVATE}", "labels": {labels}}}\n')
    with pytest.raises(SettingsInvalid) as caught:
        read_labelled(LabelledFile(path), LABELS)
    assert "line 2: " in str(caught.value)
    assert message in str(caught.value)
    assert PRIVATE not in str(caught.value)


def test_what_pandas_writes_after_a_gap_is_0_or_1(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "text,toxic,insult\na,1.0,0.0\n")
    assert read_labelled(LabelledFile(path), LABELS).truth.tolist() == [[1, 0]]


def test_rows_nobody_rated_are_refused_or_left_out_as_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "text,toxic,insult\na,-1,-1\nb,1,0\n")
    with pytest.raises(SettingsInvalid, match=r"line 2: toxic is -1: nobody rated this row\. --skip-unrated"):
        read_labelled(LabelledFile(path), LABELS)
    found = read_labelled(LabelledFile(path, skip_unrated=True), LABELS)
    assert (found.texts, found.truth.tolist()) == (["b"], [[1, 0]])


def test_a_column_of_texts_can_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.tsv", "body\ttoxic\nhello\t1\n")
    assert read_labelled(LabelledFile(path, Layout(text_column="body")), LABELS).texts == ["hello"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"absent\.csv cannot be read: No such file"):
        read_labelled(LabelledFile(tmp_path / "absent.csv"), LABELS)
