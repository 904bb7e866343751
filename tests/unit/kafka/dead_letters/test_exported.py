"""A dead letter survives its way through a file that a person edits, byte by byte where it was not touched."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testkit.records import record
from worker.errors import SettingsInvalid
from worker.kafka.dead_letters.exported import export_line, read_corrected
from worker.kafka.dead_letters.reader import dead_letter
from worker.terminal.letters import kinds_of, letter_lines, summary_lines
from worker.types import Outgoing

FAILURE = [
    ("__connect.errors.topic", b"comments"),
    ("__connect.errors.stage", b"DECODE"),
    ("__connect.errors.exception.class.name", b"InvalidJson"),
    ("dlq.failed_at", b"2026-11-22T12:00:00.000Z"),
]


@given(key=st.none() | st.binary(), value=st.none() | st.binary(), header=st.binary())
def test_what_is_not_edited_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, key: bytes | None, value: bytes | None, header: bytes
) -> None:
    letter = dead_letter(record(value, key=key, headers=[("own", header), *FAILURE]))
    file = tmp_path_factory.getbasetemp() / "letters.jsonl"
    file.write_text(export_line(letter, "comments.dlq") + "\n", encoding="utf-8")
    (back,) = read_corrected(file)
    headers: list[tuple[str, bytes | None]] = [("own", header), ("dlq.replay_count", b"1")]
    assert back == Outgoing("comments", key, value, headers, 1_795_348_800_042)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not JSON", "line 2: not JSON at column 2"),
        ('{"topic": "", "value": "x"}', "line 2: topic is empty"),
        ('{"topic": "c", "value": {"id": "a secret"}}', 'value: Value error, write a string, null, or {"base64"'),
        ('{"value": "a secret"}', "topic: Field required"),
    ],
)
def test_a_line_that_is_no_letter_is_named_and_not_quoted(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text(f'{{"topic": "comments", "value": "good"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        list(read_corrected(file))
    assert message in str(refused.value)
    assert "a secret" not in str(refused.value)


def test_the_summary_has_count_first_and_last_of_each_kind_the_most_frequent_first() -> None:
    def failed(error: bytes, at: bytes) -> list[tuple[str, bytes]]:
        return [("__connect.errors.exception.class.name", error), ("dlq.failed_at", at)]

    letters = [
        dead_letter(record(b"", headers=failed(error, at)))
        for error, at in ((b"A", b"2026-11-02"), (b"B", b"2026-11-03"), (b"B", b"2026-11-01"), (b"B", b"2026-11-04"))
    ]
    kinds = kinds_of(letters)
    assert [(kind.error, kind.count, kind.first, kind.last) for kind in kinds] == [
        ("B", 3, "2026-11-01", "2026-11-04"),
        ("A", 1, "2026-11-02", "2026-11-02"),
    ]
    assert len(list(summary_lines(kinds))) == 3


def test_value_and_headers_are_shown_without_what_a_terminal_would_obey() -> None:
    letter = dead_letter(record(b'{"id": "c\x1b[2J"}\xff', key=b"k", headers=[("own", b"h"), *FAILURE]))
    row, *rest = letter_lines(letter, with_headers=True, with_value=True)
    assert "InvalidJson" in row
    assert rest[0] == "    key: k"
    assert "    own: h" in rest
    assert rest[-1] == '    {"id": "c\\x1b[2J"}\\xff'
    assert len(list(letter_lines(letter, with_headers=False, with_value=False))) == 1


def test_a_very_long_value_is_cut_and_says_so() -> None:
    *_, value = letter_lines(dead_letter(record(json.dumps("x" * 5000).encode())), with_headers=False, with_value=True)
    assert len(value) < 2200
    assert "5,002 characters" in value
