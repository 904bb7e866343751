"""Starts workers as processes, and ends each of them for sure."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from testkit.kafka import die_with_parent

ROOT = Path(__file__).parents[1]
END_SECONDS = 60


def environment_of(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment with these settings, by dotted name, and no others; without the HTTP server."""
    variables = {"http.port": 0, **settings}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SLUICE_")},
        **{"SLUICE_" + name.replace(".", "__").upper(): str(value) for name, value in variables.items()},
    }


class WorkerProcess:
    """A worker with the keyword classifier on a real broker; a context manager that kills what is left.

    Args:
        bootstrap_servers: Of the cluster.
        settings: By dotted name, for example `{"input.topic": "in"}`.
        slow_seconds: What each batch takes in the model.
        crash: A point of `testkit.crashing_worker` to die at, and how often it is passed before; None: it lives.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        settings: Mapping[str, object],
        *,
        slow_seconds: float = 0.0,
        crash: tuple[str, int] | None = None,
    ) -> None:
        environment = {
            **environment_of({"kafka.bootstrap_servers": bootstrap_servers, "log.format": "json", **settings}),
            "SLOW_SECONDS": str(slow_seconds),
            "PYTHONPATH": str(ROOT),
        }
        program = "testkit.keyword_worker"
        if crash is not None:
            program = "testkit.crashing_worker"
            environment |= {"CRASH_AT": crash[0], "CRASH_AFTER": str(crash[1])}
        self._log = tempfile.TemporaryFile(mode="w+", encoding="utf-8")  # noqa: SIM115 - closed in `__exit__`
        self.process = subprocess.Popen(
            [sys.executable, "-m", program],
            env=environment,
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs in the child before exec
        )

    @property
    def log(self) -> str:
        """What the worker wrote so far."""
        self._log.seek(0)
        return self._log.read()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(END_SECONDS)

    def terminate(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        if error is not None:
            sys.stderr.write(f"--- worker {self.process.pid} (exit {self.process.returncode})\n{self.log}\n")
        self._log.close()
