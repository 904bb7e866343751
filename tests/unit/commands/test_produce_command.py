"""`sluice produce` sends what it reads, also from a file that can be read only once."""

import os
import threading
from pathlib import Path

import pytest

from testkit.topic_reader import read_to_end
from worker.__main__ import main
from worker.kafka.embedded.broker import EmbeddedBroker


@pytest.mark.parametrize("suffix", ["jsonl", "pipe"])
def test_every_comment_of_a_pipe_is_sent(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"comments.{suffix}"
    os.mkfifo(path)
    lines = "".join(f'{{"id": "c-{n}", "text": "hello"}}\n' for n in range(3))
    writer = threading.Thread(target=lambda: path.write_text(lines), daemon=True)
    writer.start()
    with EmbeddedBroker(topics={"comments": 1}) as broker:
        assert main(["produce", str(path), "--bootstrap-servers", broker.bootstrap_servers]) == 0
        assert len(read_to_end(broker.bootstrap_servers, "comments")) == 3
    assert "3 comments sent to topic comments" in capsys.readouterr().out
