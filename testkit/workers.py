"""Starts workers and other programs as processes, and makes sure that each of them ends."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from testkit.kafka import die_with_parent
from worker.setting_origins import PREFIX, variable

ROOT = Path(__file__).parents[1]
END_SECONDS = 60


def environment_of(settings: Mapping[str, object], *, keep: Sequence[str] = ()) -> dict[str, str]:
    """This process's environment with these settings, by dotted name, and no others; without the HTTP server.

    Args:
        settings: By dotted name, for example `{"input.topic": "in"}`.
        keep: Prefixes of settings' variables in this process's environment that stay, for example `SLUICE_MODEL__`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) or any(name.startswith(prefix) for prefix in keep)
    }
    return kept | {variable(name): str(value) for name, value in {"http.port": 0, **settings}.items()}


class Child:
    """A program in its own process, with its output in `log`; a context manager that kills what is left.

    Start it on the main thread: the kernel ends it with the thread that started it.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._log = tempfile.TemporaryFile(mode="w+", encoding="utf-8")  # noqa: SIM115 - closed in `__exit__`
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs Python code in the child before exec
        )

    @property
    def log(self) -> str:
        """What the program has written so far."""
        # Not through the shared file's own position, which the program's writes move.
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(END_SECONDS)

    def terminate(self) -> int:
        """Ask it to stop, and return its exit code."""
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
            sys.stderr.write(f"--- process {self.process.pid} (exit {self.process.returncode})\n{self.log}\n")
        self._log.close()


class WorkerProcess(Child):
    """A worker with the keyword classifier on a real broker.

    Args:
        bootstrap_servers: Addresses of the cluster.
        settings: By dotted name, for example `{"input.topic": "in"}`.
        slow_seconds: How long each batch takes in the model.
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
        super().__init__([sys.executable, "-m", program], environment)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The fields of each line that the worker logged under this name."""
        lines = (line for line in self.log.splitlines() if line.startswith("{") and line.endswith("}"))
        return [fields for fields in map(json.loads, lines) if fields.get("event") == name]
