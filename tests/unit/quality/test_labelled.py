"""Labelled texts are read unchanged, and a broken row is named by its line, never quoted."""

from pathlib import Path

import pytest

from worker.errors import SettingsInvalid
from worker.quality.labelled import read_labelled

LABELS = ("toxic", "insult", "threat")
PRIVATE = "a text nobody may see in an error"


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_csv_gives_the_labels_it_has_in_the_models_order(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,insult,text,toxic\n1,1,"two\nlines",0\n2,0,"quote ""q""",1\n')
    found = read_labelled(path, LABELS)
    assert found.texts == ["two\nlines", 'quote "q"']
    assert found.labels == ("toxic", "insult")
    assert found.truth.tolist() == [[0, 1], [1, 0]]


def test_the_jigsaw_challenges_column_is_known_and_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"\xef\xbb\xbfcomment_text,toxic\nhello,1\n")
    assert read_labelled(path, LABELS).texts == ["hello"]


def test_json_lines_name_their_labels_or_give_each_a_value(tmp_path: Path) -> None:
    named = written(tmp_path, "a.jsonl", '{"text": "x", "labels": ["threat"]}\n\n{"text": "y", "labels": []}\n')
    assert read_labelled(named, LABELS).truth.tolist() == [[0, 0, 1], [0, 0, 0]]
    valued = written(tmp_path, "b.ndjson", '{"text": "x", "toxic": true, "insult": 0}\n')
    assert read_labelled(valued, LABELS).truth.tolist() == [[1, 0]]


def test_a_long_text_is_read_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"text,toxic\n{'x' * 1_000_000},1\n")
    assert len(read_labelled(path, LABELS).texts[0]) == 1_000_000


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
        ("a.jsonl", '{"text": 7, "labels": []}\n', "line 1: text is missing or not a string"),
        ("a.jsonl", '{"text": "x", "toxic": 1}\n{"text": "y", "insult": 1}\n', "line 2: it has other labels"),
        ("a.txt", "hello\n", "Give labelled texts as .csv"),
    ],
)
def test_an_error_names_the_line_and_never_quotes_the_text(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read_labelled(written(tmp_path, name, content), LABELS)
    assert message in str(caught.value)
    assert PRIVATE not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"absent\.csv cannot be read: No such file"):
        read_labelled(tmp_path / "absent.csv", LABELS)
