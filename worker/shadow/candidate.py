"""The candidate as the worker sees it: a process that is started, asked and killed.

A process, and not a thread: it has an interpreter lock and threads of its own, so the worker never waits for either.
The kernel can put it behind the worker (a thread of low priority that holds the interpreter lock would hold up all the
others). And whatever a checkpoint does, run out of memory or crash in native code, ends that process alone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from worker.settings import LogSettings, ModelSettings
from worker.shadow.sampled import Scorer, Verdict
from worker.types import ModelIdentity, Unscorable

MODULE = "worker.shadow.candidate_process"

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}

_EXIT_SECONDS = 1.0


class CandidateEnded(Exception):
    """Its process has ended, or answers what makes no sense; the message says how."""


class CandidateRefused(Exception):
    """It can't be loaded with these settings; the message says why, and never quotes a text."""


class Answer(NamedTuple):
    """What the candidate says of some texts.

    Attributes:
        verdicts: For each text, in order, its verdict, or why there is none.
        cpu_seconds: CPU seconds it took.
        memory_bytes: Resident memory of the process now.
    """

    verdicts: Sequence[Verdict | Unscorable]
    cpu_seconds: float
    memory_bytes: int


class Candidate:
    """A candidate in a process of its own; used by the thread that makes it, but for `kill`.

    The kernel kills it when that *thread* ends, so it never outlives the worker.

    Args:
        model: What it is loaded with.
        log: How it logs; its lines go where the worker's go.
        names: Names in the model in use for labels of the candidate.
        yielding: Run only on a core that has nothing else to do.
    """

    def __init__(self, model: ModelSettings, log: LogSettings, names: Mapping[str, str], *, yielding: bool) -> None:
        self._names = names
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", MODULE, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": _import_path()},
        )
        order = {"model": model.model_dump(mode="json"), "log": log.model_dump(mode="json"), "yielding": yielding}
        try:
            self._send(order)
        except CandidateEnded:
            self.kill()
            raise

    def loaded(self) -> Scorer:
        """Wait until it is loaded, and return what it is.

        Raises:
            CandidateRefused: It can't be loaded.
            CandidateEnded: Its process has ended, or its answer makes no sense.
        """
        with _sense():
            return self._scorer(self._receive())

    def score(self, texts: Sequence[str]) -> Answer:
        """Score the texts; waits for as long as it takes.

        Raises:
            CandidateEnded: Its process has ended, or its answer makes no sense.
        """
        self._send({"texts": list(texts)})
        with _sense():
            answer = self._receive()
            if "refused" in answer:
                raise CandidateEnded(answer["refused"])
            verdicts = [self._verdict(one) for one in answer["results"]]
            if len(verdicts) != len(texts):
                raise ValueError
            return Answer(verdicts, float(answer["cpu_seconds"]), int(answer["memory_bytes"]))

    def kill(self) -> None:
        """End the process at once, from any thread; what waits for it raises `CandidateEnded`."""
        self._process.kill()

    def close(self) -> None:
        """End the process and release its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what could not be written to it is nobody's to read
        self._process.wait()

    def _scorer(self, answer: dict[str, Any]) -> Scorer:
        if "refused" in answer:
            raise CandidateRefused(answer["refused"])
        labels = answer["labels"]
        if unknown := [label for label in self._names if label not in labels]:
            message = f"shadow.labels: the candidate has no label {', '.join(unknown)}; it has {', '.join(labels)}"
            raise CandidateRefused(message)
        renamed = tuple(self._name(label) for label in labels)
        if len(set(renamed)) < len(labels):
            message = f"shadow.labels: two labels of the candidate would have one name: {', '.join(renamed)}"
            raise CandidateRefused(message)
        identity = ModelIdentity(**answer["identity"])
        return Scorer(identity, answer["threshold_set"], answer["limits"], answer["view"], renamed)

    def _verdict(self, result: dict[str, Any]) -> Verdict | Unscorable:
        if "error" in result:
            return Unscorable(result["error"], result["reason"])
        labels, acted = (tuple(map(self._name, result[of])) for of in ("labels", "acted"))
        return Verdict({self._name(label): float(score) for label, score in result["scores"].items()}, labels, acted)

    def _name(self, label: str) -> str:
        return self._names.get(label, label)

    def _send(self, message: dict[str, Any]) -> None:
        pipe = _open(self._process.stdin)
        try:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()
        except OSError:
            raise CandidateEnded(self._how_it_ended()) from None

    def _receive(self) -> dict[str, Any]:
        line = _open(self._process.stdout).readline()
        if not line.endswith(b"\n"):
            raise CandidateEnded(self._how_it_ended())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(_EXIT_SECONDS)  # it has closed its pipe, and is about to say how it ends
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        return f"killed by signal {-status}" if status < 0 else f"exit code {status}"


@contextmanager
def _sense() -> Iterator[None]:
    """Take an answer of another shape than ours for the candidate's end, however it fails to be read."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "answers what makes no sense"
        raise CandidateEnded(message) from None


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - it was opened as one
    return pipe


def _import_path() -> str:
    """Where this process imports from, so that the other one finds the same packages wherever it is started."""
    return os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
