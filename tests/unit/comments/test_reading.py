"""Comments are read from CSV, JSON lines or plain lines; a bad line is named, never quoted."""

import io
import json
import sys
from pathlib import Path

import pytest

from worker.comments.reading import FileComment, read_comments
from worker.comments.samples import SAMPLE_COMMENTS
from worker.errors import SettingsInvalid


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_keeps_other_columns_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, "c.csv", '\ufeffid,text,toxic\r\na,"two\nlines, one comma",1\r\n\r\n,plain,0\r\n')

    assert list(read_comments(path)) == [
        FileComment("a", "two\nlines, one comma", {"toxic": "1"}, 3),
        FileComment("c.csv:5", "plain", {"toxic": "0"}, 5),
    ]


def test_json_lines_keep_other_members_and_make_ids(tmp_path: Path) -> None:
    path = written(tmp_path, "c.jsonl", '{"text": "a", "id": 7, "tags": [1]}\n\n{"text": "b"}')

    comments = list(read_comments(path))

    assert comments == [FileComment("7", "a", {"tags": [1]}, 1), FileComment("c.jsonl:3", "b", {}, 3)]
    assert json.loads(comments[0].value()) == {"id": "7", "text": "a", "tags": [1]}


@pytest.mark.parametrize(
    ("name", "content"), [("c.csv", "comment_text,n\na,1\n"), ("c.jsonl", '{"comment_text": "a", "n": "1"}')]
)
def test_the_jigsaw_challenges_name_for_a_text_is_known(tmp_path: Path, name: str, content: str) -> None:
    (comment,) = read_comments(written(tmp_path, name, content))

    assert (comment.text, comment.fields) == ("a", {"n": "1"})


def test_plain_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "c.txt", "first\r\n\n  second \n")

    assert [(comment.id, comment.text) for comment in read_comments(path)] == [
        ("c.txt:1", "first"),
        ("c.txt:3", "  second "),
    ]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('{"text": "a"}\n', ["a"]),
        ("id,text\n1,a\n", ["a"]),
        ("a line, with a comma\n", ["a line, with a comma"]),
        ("", []),
    ],
)
def test_the_format_of_standard_input_is_detected_from_its_first_line(
    content: str, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))

    assert [comment.text for comment in read_comments(Path("-"))] == texts


def test_a_comment_of_a_megabyte_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "c.csv", "text\n" + "x" * 1_000_000 + "\n")

    assert [len(comment.text) for comment in read_comments(path)] == [1_000_000]


SECRET = "my secret words"  # noqa: S105 - stands for a comment


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("c.csv", f"comment\n{SECRET}\n", "c.csv, line 1: no column is named text"),
        ("c.csv", f"text,text\n{SECRET},b\n", "line 1: two columns have the same name"),
        ("c.csv", f"id,text\n1,a\n2,{SECRET},more\n", "line 3: 3 fields, but the header has 2"),
        ("c.csv", f'id,text\n1,"{SECRET}\n', "line 2: not CSV"),
        ("c.jsonl", f'{{"text": "a"}}\n{{"text": "{SECRET}\n', "line 2: not JSON"),
        ("c.jsonl", f'["{SECRET}"]\n', "line 1: not an object"),
        ("c.jsonl", f'{{"text": ["{SECRET}"]}}\n', "line 1: text is missing or not a string"),
        ("c.jsonl", f'{{"id": true, "text": "{SECRET}"}}\n', "line 1: id must be"),
        ("c.jsonl", f'{{"text": "{SECRET}", "n": NaN}}\n', "line 1: not JSON"),
        ("c.jsonl", f'{{"text": "{SECRET} \\ud800"}}\n', "line 1: a lone surrogate"),
        ("c.jsonl", "[" * 100_000, "line 1: not JSON"),
        ("c.txt", b"fine\n" + SECRET.encode() + b" \xff\n", "line 2: not UTF-8"),
    ],
)
def test_a_bad_line_is_named_and_not_quoted(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        list(read_comments(written(tmp_path, name, content)))

    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_missing_file_is_reported_as_a_wrong_argument(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"absent\.csv cannot be read: No such file"):
        list(read_comments(tmp_path / "absent.csv"))


def test_there_are_a_hundred_samples_of_many_kinds() -> None:
    comments = list(read_comments(SAMPLE_COMMENTS))

    assert len({comment.id for comment in comments}) == 100
    assert all(comment.fields["author"] for comment in comments)
    texts = [comment.text for comment in comments]
    assert "You are a stupid, idiotic jerk. I hate you." in texts
    assert sum(len(text.split()) > 512 for text in texts) == 2
    for script in ("\u0400-\u04ff", "\u0370-\u03ff", "\u0600-\u06ff", "\u4e00-\u9fff", "\u0900-\u097f"):
        first, last = script.split("-")
        assert any(first <= character <= last for text in texts for character in text)
