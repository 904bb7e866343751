"""Programs in processes of their own that cannot outlive the test run."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[1]
END_SECONDS = 60
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have the kernel kill this child when the thread that started it ends; for `preexec_fn`."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
