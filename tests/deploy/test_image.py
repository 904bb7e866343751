import os
import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch

import pytest

from tests.deploy.files import DEPLOY, ROOT, run_tool

FILE = DEPLOY / "Dockerfile"
# Continuation lines joined, comments left out: one instruction a line.
INSTRUCTIONS = re.sub(
    r"\\\n",
    " ",
    "\n".join(line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")),
).splitlines()
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()


def copied_from_the_context() -> list[str]:
    sources = []
    for line in INSTRUCTIONS:
        if line.startswith("COPY ") and "--from=" not in line:
            sources += [word.replace("${WHEELS}", "deploy/wheels").rstrip("/") for word in shlex.split(line)[1:-1]]
    return sources


def is_in_the_context(path: str) -> bool:
    """Whether the builder includes a path: the last `.dockerignore` pattern that matches it or a parent decides."""
    parents = ["/".join(path.split("/")[:count]) for count in range(1, path.count("/") + 2)]
    kept = True
    for pattern in IGNORED:
        if pattern and not pattern.startswith("#") and any(fnmatch(one, pattern.lstrip("!")) for one in parents):
            kept = pattern.startswith("!")
    return kept


@pytest.mark.parametrize("path", copied_from_the_context())
def test_copied_files_exist_and_are_not_ignored(path: str) -> None:
    assert (ROOT / path).exists()
    assert is_in_the_context(path)


@pytest.mark.parametrize("path", [".git/config", "tests/deploy/files.py", ".env", "training/train.py"])
def test_files_that_the_image_does_not_need_stay_out(path: str) -> None:
    assert not is_in_the_context(path)


@pytest.mark.parametrize(
    ("extras", "there"), [(None, True), ("", False), ("tracing", True)], ids=["default", "none", "one"]
)
def test_the_image_has_the_extras_that_settings_may_ask_for(extras: str | None, *, there: bool) -> None:
    (default,) = re.findall(r"^ARG EXTRAS=(.*)$", "\n".join(INSTRUCTIONS), re.MULTILINE)
    (line,) = [line for line in INSTRUCTIONS if "> requirements.txt" in line]
    program = shlex.split(line.partition(">")[0])[3]
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "EXTRAS": default if extras is None else extras},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert any(one.startswith("torch") for one in printed)
    assert any(one.startswith("opentelemetry-sdk") for one in printed) is there
    if extras is None:
        assert any(one.startswith("confluent-kafka[") for one in printed)


def test_the_last_user_is_not_root_and_is_a_number_that_kubernetes_can_check() -> None:
    users = [line.split()[1] for line in INSTRUCTIONS if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


def test_any_builder_can_build_it() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert not re.search(r"^#\s*syntax\s*=", text, re.MULTILINE)
    assert "<<" not in text
    assert "--mount" not in text


def test_processes_get_their_signals() -> None:
    for name in ("ENTRYPOINT", "CMD"):
        (line,) = [line for line in INSTRUCTIONS if line.startswith(name + " ")]
        assert line.split(maxsplit=1)[1].startswith("["), "the shell form puts a shell between docker and the worker"


def test_hadolint_finds_nothing() -> None:
    run_tool("hadolint", str(FILE))
