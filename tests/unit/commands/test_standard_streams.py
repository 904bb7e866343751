"""Streams that are closed, full or of another encoding change no exit code and never end in a traceback."""

import os
import subprocess
import sys

import pytest

from testkit.child_process import ROOT

FULL = "/dev/full"


def shell(line: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = line.replace("sluice", f"{sys.executable} -m worker")
    return subprocess.run(  # noqa: S602 - redirections are what is tested
        command,
        shell=True,
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=120,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sluice config >&-", 0),
        ("sluice config 2>&-", 0),
        ("sluice config <&-", 0),
        ("sluice config --set batch.max_records=0 2>&-", 2),
        (f"sluice config --set batch.max_records=0 2>{FULL}", 2),
        (f"sluice config >{FULL}", 1),
        ("sluice produce - <&-", 3),
    ],
)
def test_a_stream_that_is_closed_or_full_changes_no_exit_code(line: str, code: int) -> None:
    ended = shell(line, SLUICE_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9", SLUICE_KAFKA__NO_BROKER_SECONDS="1")
    assert "Traceback" not in ended.stderr
    assert ended.returncode == code, ended.stderr


def test_output_that_cannot_be_written_is_one_line() -> None:
    ended = shell(f"sluice config >{FULL}")
    assert ended.stderr == "sluice: the output cannot be written: No space left on device\n"


def test_a_terminal_without_a_letter_gets_a_question_mark() -> None:
    ended = shell("sluice classify caf\u00e9", PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "caf?" in ended.stdout
