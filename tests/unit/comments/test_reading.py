"""Comments are read from CSV, JSON lines or plain lines; a bad line is named, never quoted."""

import contextlib
import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.comments.file_comment import Layout
from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS
from worker.errors import SettingsInvalid
from worker.settings import InputSettings


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_keeps_other_columns_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, "c.csv", '\ufeffid,text,toxic\r\na,"two\nlines, one comma",1\r\n\r\n,plain,0\r\n')

    assert [comment[:4] for comment in read_comments(path)] == [
        ("a", "two\nlines, one comma", {"toxic": "1"}, 3),
        ("c.csv:5", "plain", {"toxic": "0"}, 5),
    ]


def test_json_lines_keep_other_members_and_make_ids(tmp_path: Path) -> None:
    path = written(tmp_path, "c.jsonl", '{"text": "a", "id": 7, "tags": [1]}\n\n{"text": "b"}')

    comments = list(read_comments(path))

    assert [comment[:4] for comment in comments] == [("7", "a", {"tags": [1]}, 1), ("c.jsonl:3", "b", {}, 3)]
    assert json.loads(comments[0].value()) == {"id": 7, "text": "a", "tags": [1]}


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


@pytest.mark.parametrize("line", [b"typed by hand\n", b'{"text": "typed by hand"}\n'])
def test_a_comment_typed_at_a_terminal_needs_no_second_line(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed() -> Iterator[bytes]:
        yield line
        pytest.fail("the second line was waited for")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=typed()))

    assert next(read_comments(Path("-"))).text == "typed by hand"


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
        ("c.jsonl", f'{{"text": "a"}}\n["{SECRET}"]\n', "line 2: not an object"),
        ("c.jsonl", f'[{{"text": "{SECRET}"}}]\n', "c.jsonl: a JSON array. Write one object on each line"),
        ("c.log", f'[{{"text": "{SECRET}"}}]\n', "c.log: a JSON array"),
        ("c.jsonl", f'{{"text": ["{SECRET}"]}}\n', "line 1: there is no string at /text"),
        ("c.jsonl", f'{{"id": true, "text": "{SECRET}"}}\n', "line 1: the id must be"),
        ("c.jsonl", f'{{"text": "{SECRET}", "n": NaN}}\n', "line 1: not JSON: NaN is not a JSON value"),
        ("c.jsonl", f'{{"text": "{SECRET} \\ud800"}}\n', "line 1: a lone surrogate"),
        ("c.jsonl", '{"a":' + "[" * 100_000, "line 1: not JSON"),
        ("c.csv", f"id;body\n1;{SECRET}\n", "its columns are separated by semicolons, and none is named text"),
        (
            "c.tsv",
            f"id\tbody\n1\t{SECRET}\n",
            "no column is named text. Name the column with the comments",
        ),
        ("c.txt", f"one\r{SECRET}\rthree".encode(), "its lines end in carriage returns alone"),
        ("c.log", f"id,text\r1,{SECRET}\r".encode(), "its lines end in carriage returns alone"),
        ("c.csv", b"\x1f\x8b\x08\x00 \xff", "gzip. Unpack it first"),
        ("c.csv", f"id,text\n1,{SECRET}\n".encode("utf-16"), "UTF-16. Save the file as UTF-8"),
        ("c.csv", b"PK\x03\x04\xff", "a ZIP or Excel file"),
        ("c.parquet", b"PAR1\x15\xff", "Parquet. Save it as"),
        ("c.txt", b"fine\n" + SECRET.encode() + b" \xff\n", "line 2: not UTF-8"),
    ],
)
def test_a_bad_line_is_named_and_not_quoted(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        list(read_comments(written(tmp_path, name, content)))

    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.tsv", 'id\ttext\n1\t"a, b"\n'),
        ("c.tab", "id\ttext\n1\ta, b\n"),
        ("c.csv", 'id;text\n1;"a, b"\n'),
        ("c.csv", 'sep=;\nid;text\n1;"a, b"\n'),
        ("c.csv", '\n\nid,text\n1,"a, b"\n'),
        ("c.csv", 'ID,Text\n1,"a, b"\n'),
        ("c.csv", 'id,text,,\n1,"a, b",,\n'),
        ("c.log", 'sep=;\r\nid;text\r\n1;"a, b"\r\n'),
        ("c.log", "id\ttext\n1\ta, b\n"),
        ("c.log", 'ID;Text\n1;"a, b"\n'),
    ],
)
def test_columns_are_read_whatever_stands_between_them(name: str, content: str, tmp_path: Path) -> None:
    (comment,) = read_comments(written(tmp_path, name, content))
    assert (comment.id, comment.text, comment.fields) == ("1", "a, b", {})


def test_lines_are_counted_from_the_files_first(tmp_path: Path) -> None:
    path = written(tmp_path, "c.csv", "\nsep=;\n\nid;text\n;a\n1;b;c\n")
    comments = read_comments(path)
    assert next(comments).id == "c.csv:5"
    with pytest.raises(SettingsInvalid, match="line 6: 3 fields"):
        next(comments)


def test_a_very_long_first_line_is_a_plain_line(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    path = written(tmp_path, "x.log", "spam " * 40_000 + "\n")
    assert [len(comment.text) for comment in read_comments(path)] == [200_000]
    assert csv.field_size_limit() == limit


def test_a_long_comment_leaves_csvs_own_limit_as_it_was(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    comments = read_comments(written(tmp_path, "c.csv", f"text\n{'x' * 200_000}\nb\n"))
    assert len(next(comments).text) == 200_000
    assert csv.field_size_limit() == limit


def test_blank_plain_lines_are_kept_in_step_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "c.txt", "a\n\nb\n")
    assert [comment.text for comment in read_comments(path, blank_lines=True)] == ["a", "", "b"]
    assert [comment.id for comment in read_comments(path)] == ["c.txt:1", "c.txt:3"]


def test_the_settings_pointers_say_where_json_lines_have_id_and_text(tmp_path: Path) -> None:
    layout = Layout(InputSettings(id_pointer="/meta/key", text_pointer="/data/0/body"))
    line = {"meta": {"key": 7, "n": 1}, "data": [{"body": "a", "x": 2}]}
    (comment,) = read_comments(written(tmp_path, "c.jsonl", json.dumps(line)), layout)
    assert (comment.id, comment.text) == ("7", "a")
    sent = json.loads(comment.value(layout))
    assert sent == {"meta": {"key": 7, "n": 1}, "data": [{"body": "a", "x": 2}]}


def test_a_comment_of_columns_is_sent_where_the_worker_will_look(tmp_path: Path) -> None:
    layout = Layout(InputSettings(id_pointer="/key", text_pointer="/data/body"))
    (comment,) = read_comments(written(tmp_path, "c.csv", "key,body,lang\nk1,a,en\n"), layout)
    assert json.loads(comment.value(layout)) == {"key": "k1", "data": {"body": "a"}, "lang": "en"}


def test_several_texts_of_columns_are_sent_each_to_its_place(tmp_path: Path) -> None:
    layout = Layout(InputSettings(text_pointer=["/title", "/post/body"]))
    path = written(tmp_path, "c.csv", "id,title,body,lang\n1,Hello,you,en\n2,,me,en\n")
    first, second = read_comments(path, layout)
    assert (first.text, second.text) == ("Hello\nyou", "me")
    assert json.loads(first.value(layout)) == {"id": "1", "title": "Hello", "post": {"body": "you"}, "lang": "en"}


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl", "c.txt"])
def test_markup_of_a_file_is_read_as_the_worker_reads_it_and_sent_as_it_was_written(tmp_path: Path, name: str) -> None:
    layout = Layout(InputSettings(text_format="html"))
    content = {"c.csv": 'id,text\n1,"a<b>b</b>"\n', "c.jsonl": '{"id": "1", "text": "a<b>b</b>"}', "c.txt": "a<b>b</b>"}
    (comment,) = read_comments(written(tmp_path, name, content[name]), layout)
    assert comment.text == "ab"
    assert json.loads(comment.value(layout))["text"] == "a<b>b</b>"


@pytest.mark.parametrize(("kind", "sent"), [("integer", 7), ("string-or-integer", "7"), ("none", None)])
def test_the_id_of_a_column_is_sent_as_the_kind_that_the_worker_takes(tmp_path: Path, kind: str, sent: Any) -> None:
    layout = Layout(InputSettings(id_kind=kind))
    (comment,) = read_comments(written(tmp_path, "c.csv", "id,text\n7,a\n"), layout)
    assert json.loads(comment.value(layout)).get("id") == sent


def test_a_column_in_the_way_of_a_pointer_is_an_error(tmp_path: Path) -> None:
    layout = Layout(InputSettings(text_pointer="/data/body"))
    (comment,) = read_comments(written(tmp_path, "c.csv", "data,body\nx,a\n"), layout)
    with pytest.raises(ValueError, match="/data/body leads through a value"):
        comment.value(layout)


@given(st.text(alphabet=st.sampled_from('ab,;\t"\r\n{[ =septx'), max_size=60))
def test_no_file_ends_in_anything_but_comments_or_a_refusal(content: str) -> None:
    with TemporaryDirectory() as folder, contextlib.suppress(SettingsInvalid):
        for comment in read_comments(written(Path(folder), "c.log", content)):
            assert isinstance(comment.text, str)


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
