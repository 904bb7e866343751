"""`sluice demo` from the user's side: it ends on its own or at Ctrl-C, cleanly, and leaves nothing running."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.label import LabelEvent
from testkit.checkpoints import make_checkpoint
from testkit.child_process import ROOT
from testkit.workers import environment_of
from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS
from worker.kafka.embedded import mock_cluster

DEADLINE_SECONDS = 280.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for remaining processes in /proc")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model"))


def start(model: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "worker", "demo", "--model", str(model), "--set", "model.threads=1", *arguments],
        cwd=ROOT,
        env=environment_of({}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def brokers_of(pid: int) -> list[int]:
    """The embedded brokers that this process has started."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed if mock_cluster.__file__ in command_of(int(child))]


def command_of(pid: int) -> Sequence[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except FileNotFoundError:
        return ()


def test_every_sample_is_labelled_and_the_demo_ends_on_its_own(model: Path) -> None:
    with start(model, "--count", "100", "--json") as demo:
        output, errors = demo.communicate(timeout=DEADLINE_SECONDS)

    assert demo.returncode == 0, errors
    events = [LabelEvent.model_validate_json(line) for line in output.splitlines()]
    given = {comment.id: comment.text for comment in read_comments(SAMPLE_COMMENTS)}
    assert {event.comment["id"]: event.comment["text"] for event in events} == given
    assert len(events) == 100
    assert all(event.comment["author"] and event.source.topic == "comments" for event in events)
    assert sum(event.text.windows > 1 for event in events) >= 2
    assert "100 comments labelled" in errors


def test_a_users_file_is_read_to_its_end_and_shown_as_lines(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("id,text\nmine-1,a first comment\nmine-2,[bold]a second[/bold]\n", encoding="utf-8")

    with start(model, "--input", str(path)) as demo:
        output, errors = demo.communicate(timeout=DEADLINE_SECONDS)

    assert demo.returncode == 0, errors
    lines = output.splitlines()
    assert [line for line in lines if line.startswith("mine-1") and line.endswith("a first comment")]
    assert [line for line in lines if line.startswith("mine-2") and line.endswith("[bold]a second[/bold]")]
    assert "2 comments labelled" in output


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_nothing_is_left_running(model: Path, how: signal.Signals) -> None:
    with start(model, "--json") as demo:
        assert demo.stdout is not None
        assert json.loads(demo.stdout.readline())["comment"]["id"]
        (broker,) = brokers_of(demo.pid)

        demo.send_signal(how)
        _, errors = demo.communicate(timeout=DEADLINE_SECONDS)

    assert demo.returncode == 0, errors
    assert "Traceback" not in errors
    assert mock_cluster.__file__ not in command_of(broker)


def test_ctrl_c_interrupts_a_wait_for_standard_input(model: Path) -> None:
    with start(model, "--json", "--input", "-", stdin=subprocess.PIPE) as demo:
        assert demo.stdin is not None
        assert demo.stdout is not None
        demo.stdin.write("typed by hand\n")
        demo.stdin.flush()
        assert json.loads(demo.stdout.readline())["comment"] == {"id": "stdin:1", "text": "typed by hand"}

        demo.send_signal(signal.SIGINT)
        demo.wait(DEADLINE_SECONDS)

        assert demo.returncode == 0
        assert demo.stderr is not None
        assert "Traceback" not in demo.stderr.read()


def test_a_broker_that_dies_is_reported(model: Path) -> None:
    with start(model, "--json") as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        (broker,) = brokers_of(demo.pid)
        os.kill(broker, signal.SIGKILL)
        _, errors = demo.communicate(timeout=DEADLINE_SECONDS)

    assert demo.returncode != 0
    assert "the embedded broker ended by itself" in errors


def test_a_bad_line_of_a_users_file_is_named(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"text": "fine"}\nnot JSON\n', encoding="utf-8")

    with start(model, "--input", str(path)) as demo:
        _, errors = demo.communicate(timeout=DEADLINE_SECONDS)

    assert demo.returncode == 2
    assert "own.jsonl, line 2: not JSON" in errors
