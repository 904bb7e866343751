"""A worker's wall clock that is wrong: a small library, compiled here and preloaded, shifts what the process reads."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("shifted_clock.c")
_DAY_SECONDS = 86_400


def make_shifting_library() -> Path | None:
    """Compile the library into a temporary folder; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp(prefix="sluice-clock-")) / "shifted_clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], check=True, timeout=60)
    return library


def shifted_clock(library: Path, days: float) -> Mapping[str, str]:
    """The environment of a process whose wall clock is off by so many days; its monotonic clock is right."""
    return {"LD_PRELOAD": str(library), "CLOCK_SHIFT_SECONDS": str(int(days * _DAY_SECONDS))}
