"""An inference engine of `benchmarks.engines` in its own process and environment, as a rival of `classify`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.rounds import Spent
from testkit.child_process import ROOT, die_with_parent
from worker.classifier.machine.hardware import available_cores
from worker.classifier.machine.process_tuning import prepare_environment

ENGINES = {
    "ONNX Runtime, fp32": ("onnxruntime", "float32"),
    "ONNX Runtime, int8": ("onnxruntime", "int8"),
    "CTranslate2, fp32": ("ctranslate2", "float32"),
    "CTranslate2, int8": ("ctranslate2", "int8"),
    "OpenVINO, fp32": ("openvino", "float32"),
    "OpenVINO, bf16": ("openvino", "bfloat16"),
    "OpenVINO, int8": ("openvino", "int8"),
}
"""Environment and precision of each engine; its program is `benchmarks.engines.with_ENVIRONMENT`."""

CALIBRATION_TEXTS = 300


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that can run here: its Python and its precision."""

    python: Path
    environment: str
    precision: str


class EngineProcess:
    """A running engine that has scored the texts once; a context manager that ends it.

    Args:
        engine: What to run.
        folder: The checkpoint.
        texts: The texts of each round.
        calibration: Texts for an engine that quantizes by example.

    Attributes:
        scores: The score of each text and label; empty if the engine does not support the checkpoint.
        unsupported: Why it does not; empty if it does.
        versions: Versions of the packages it runs on.
    """

    def __init__(self, engine: Engine, folder: Path, texts: Sequence[str], calibration: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [str(engine.python), "-m", f"benchmarks.engines.with_{engine.environment}"],
            env=_as_users_have_it(os.environ),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs Python code in the child before exec
        )
        request = {
            "folder": str(folder.absolute()),
            "precision": engine.precision,
            "threads": available_cores(),
            "texts": list(texts),
            "calibration": list(calibration),
        }
        ready = self._ask(json.dumps(request))
        self.scores: list[list[float]] = ready.get("scores", [])
        self.unsupported: str = ready.get("unsupported", "")
        self.versions: dict[str, str] = ready["versions"]

    def round(self) -> Spent:
        """Have it score all texts once more."""
        spent = self._ask("round")
        return Spent(spent["seconds"], spent["cpu_seconds"])

    def _ask(self, line: str) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - both are pipes
        assert stdout is not None  # noqa: S101 - likewise
        stdin.write(line + "\n")
        stdin.flush()
        answer = stdout.readline()
        if not answer:
            sys.exit(f"classify: {self._process.args!r} ended on its own with exit code {self._process.wait()}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def available(environments: Path, only: Sequence[str] | None) -> dict[str, Engine]:
    """The chosen engines that can run here; a message names those whose environment is missing."""
    engines = {}
    for name, (environment, precision) in ENGINES.items():
        if only and not any(part in name for part in only):
            continue
        python = environments.absolute() / environment / "bin" / "python"
        if python.exists():
            engines[name] = Engine(python, environment, precision)
        else:
            sys.stderr.write(f"classify: {name} is left out: there is no {python}. Run `make bench-rivals`.\n")
    return engines


@contextmanager
def running(
    engines: Mapping[str, Engine], folder: Path, texts: Sequence[str], calibration: Sequence[str]
) -> Iterator[dict[str, EngineProcess]]:
    """All engines on one checkpoint, each started when the one before is ready."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(EngineProcess(engine, folder, texts, calibration))
            for name, engine in engines.items()
        }


def _as_users_have_it(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what the worker sets for torch, unless the operator has set it otherwise."""
    ours: dict[str, str] = {}
    prepare_environment(ours)
    return {name: value for name, value in environment.items() if ours.get(name) != value}
