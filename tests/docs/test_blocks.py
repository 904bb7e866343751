"""What the pages tell a reader to type works: each page's blocks are run in order, in an empty folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testkit.kafka import Kafka, kafka
from tests.docs.blocks import PAGES, ROOT, Block, blocks, name_of

__all__ = ["kafka"]

LANGUAGES = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
NEEDS_KAFKA = "needs kafka"
WRITES_A_FILE = "cat > "
STAYS = "sluice run\n"


def runnable(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in LANGUAGES and not block.mark]


def with_kafka(page: Path) -> list[Block]:
    """The blocks that need a broker, and those that write the files they send."""
    return [block for block in blocks(page) if block.mark == NEEDS_KAFKA or block.text.startswith(WRITES_A_FILE)]


def environment(**variables: str) -> dict[str, str]:
    """That of a user: our command on the path, no settings, no HTTP port."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "SLUICE_HTTP__PORT": "0", **variables}


def run(block: Block, folder: Path, variables: dict[str, str]) -> None:
    command = [*LANGUAGES[block.language], block.text]
    done = subprocess.run(
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"line {block.line}: {block.text}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.docs
@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=name_of)
def test_the_blocks_of_a_page_run(page: Path, tmp_path: Path) -> None:
    for block in runnable(page):
        run(block, tmp_path, environment())


@pytest.mark.kafka
def test_the_pages_that_need_a_broker_run_on_one(kafka: Kafka, tmp_path: Path) -> None:
    """The tutorial leaves topics behind that the later pages read, as with a user who goes on from there."""
    variables = environment(SLUICE_KAFKA__BOOTSTRAP_SERVERS=kafka.bootstrap_servers, SLUICE_LOG__FORMAT="json")
    pages = [page for page in PAGES if any(block.mark == NEEDS_KAFKA for block in blocks(page))]
    pages.sort(key=lambda page: page.name != "tutorial.md")
    workers: list[subprocess.Popen[bytes]] = []
    try:
        for page in pages:
            for block in with_kafka(page):
                if block.text == STAYS:
                    workers.append(subprocess.Popen(["bash", "-c", f"exec {STAYS}"], cwd=tmp_path, env=variables))
                else:
                    run(block, tmp_path, variables)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
    assert [worker.wait(60) for worker in workers] == [0] * len(workers)
    assert workers
