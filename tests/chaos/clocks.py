"""A worker's clock that is wrong, by libfaketime (the package `faketime`), which a preloaded library puts between."""

from collections.abc import Mapping
from pathlib import Path

_LIBRARY = "libfaketimeMT.so.1"
_FOLDERS = ("/usr/lib", "/usr/local/lib")


def find_fake_clock() -> Path | None:
    """The library, or None where it is not installed."""
    return next((path for folder in _FOLDERS for path in Path(folder).glob(f"**/faketime/{_LIBRARY}")), None)


def shifted_clock(library: Path, days: float) -> Mapping[str, str]:
    """The environment of a process whose wall clock is off by so many days; its monotonic clock is right."""
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{days:+g}d",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
