"""A real schema registry for tests, with Confluent's API: the distribution named by `REGISTRY_HOME`.

It keeps its schemas in memory. Tests that use the fixture carry the marker `registry`; they skip with a message where
`REGISTRY_HOME` is not set.
"""

import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from testkit.child_process import die_with_parent
from testkit.kafka import eventually, free_ports

START_SECONDS = 240.0
_PATH = "/apis/ccompat/v7"
_START = "bin/registry-start.sh"


def find_registry_home(environment: Mapping[str, str]) -> Path | str:
    """The distribution's folder, or the reason why there is none."""
    home = environment.get("REGISTRY_HOME")
    if not home:
        return f"REGISTRY_HOME is not set. Set it to the folder of a schema registry with {_START} (takes a port)."
    if not (Path(home) / _START).exists():
        return f"REGISTRY_HOME={home} has no {_START}"
    return Path(home).resolve()


class Registry:
    """A registry in a process of its own; a context manager.

    Attributes:
        url: Where its API as Confluent's is.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self._port}{_PATH}"
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `__exit__`
        self._process: subprocess.Popen[bytes] | None = None

    def pause(self) -> None:
        """SIGSTOP: connections are taken and nobody answers."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the registry ended"
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as answer:  # noqa: S310 - our own URL
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._home / _START, str(self._port)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one async-signal-safe system call
        )
        if not eventually(self._answers, START_SECONDS, 0.2):
            self.__exit__(None, None, None)
            message = f"no registry answered within {START_SECONDS:g} s"
            raise TimeoutError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
        self._log.close()


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """A registry, shared by the whole run: each test has subjects of its own, and resumes what it pauses."""
    home = find_registry_home(os.environ)
    if isinstance(home, str):
        pytest.skip(home)
    with Registry(home) as running:
        yield running
