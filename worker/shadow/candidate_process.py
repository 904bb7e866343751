"""The candidate's process: it loads a model and scores the texts that its standard input brings, a JSON object a line.

First comes `{"model": ..., "log": ..., "yielding": ...}`, answered by what was loaded or by `{"refused": why}`. Then,
as often as the worker asks, `{"texts": [...]}`, answered by `{"results": [...], "cpu_seconds": ..., "memory_bytes":
...}`.
"""

import ctypes
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import structlog

from worker.errors import SluiceError
from worker.observability.logs import adopt_logger, configure_logs
from worker.settings import LogSettings, ModelSettings
from worker.shadow.sampled import limits_of
from worker.stream.isolation import classify_isolating
from worker.types import Classification, Unscorable

if TYPE_CHECKING:
    from worker.classifier import Classifier

_PR_SET_PDEATHSIG = 1
_FIRST_TO_GO = "1000"
"""The highest `oom_score_adj`: if memory runs out, the kernel kills this process before the worker."""

_LOWEST_PRIORITY = 19

log = structlog.stdlib.get_logger(__name__)


def main() -> None:
    """Serve until standard input closes."""
    _belong_to(int(sys.argv[1]))
    answers = _own_output()
    order = json.loads(sys.stdin.buffer.readline())
    configure_logs(LogSettings.model_validate(order["log"]))
    structlog.contextvars.bind_contextvars(process="candidate")
    if order["yielding"]:
        with suppress(OSError):  # a sandbox may not let it
            os.nice(_LOWEST_PRIORITY)
    try:
        model = _load(ModelSettings.model_validate(order["model"]))
    except SluiceError as error:
        _answer(answers, {"refused": str(error)})
        return
    except Exception as error:  # whatever a checkpoint's files can do wrong
        log.exception("the candidate could not be loaded")
        _answer(answers, {"refused": type(error).__name__})
        return
    if order["yielding"]:
        _yield_to_all()
    identity = model.identity._asdict()
    thresholds = {"threshold_set": model.thresholds.name, "limits": limits_of(model)}
    known = {**thresholds, "view": model.view, "labels": model.labels}
    _answer(answers, {"identity": identity, **known})
    for line in sys.stdin.buffer:
        began = time.process_time()
        try:
            found = classify_isolating(model, json.loads(line)["texts"])
        except (SluiceError, MemoryError) as error:
            _answer(answers, {"refused": str(error) or type(error).__name__})
            return
        spent = time.process_time() - began
        results = [_result(one) for one in found]
        _answer(answers, {"results": results, "cpu_seconds": spent, "memory_bytes": _resident_bytes()})


def _load(settings: ModelSettings) -> "Classifier":
    from worker.classifier import Classifier  # noqa: PLC0415 - torch: after the process has put itself behind others

    model = Classifier.load(settings)
    adopt_logger("transformers")
    model.warm_up()
    return model


def _result(found: Classification | Unscorable) -> dict[str, Any]:
    if isinstance(found, Unscorable):
        return found._asdict()
    return {"scores": found.scores, "labels": found.labels, "acted": found.acted}


def _own_output() -> IO[bytes]:
    """The pipe to the worker; whatever a library prints goes to standard error instead."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _answer(pipe: IO[bytes], message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def _belong_to(worker: int) -> None:
    """End when the worker ends, not before: signals to the whole group are for it, which drains first.

    Args:
        worker: Its process id; a worker that has ended before the kernel was asked ends this process, too.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != worker:
            sys.exit()
        with suppress(OSError):  # a hardened container may not let it
            Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def _yield_to_all() -> None:
    """Run only on a core that has nothing else to do (SCHED_IDLE, a policy of Linux).

    Not before the model is loaded: a worker that is never idle would wait for ever to learn that it can't be.
    """
    if sys.platform == "linux":
        for thread in Path("/proc/self/task").iterdir():
            # A thread may have ended since, and a sandbox may not know the policy: the lowest priority is left.
            with suppress(OSError):
                os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))


def _resident_bytes() -> int:
    """Resident memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
