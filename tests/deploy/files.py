"""The locations of the deploy files, and helpers to read them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from worker.settings.configuration import names
from worker.settings.origins import PREFIX, variable
from worker.settings.secret_files import SUFFIX

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def unknown_settings(names: list[str]) -> list[str]:
    """The environment variables with the worker's prefix that are not settings of the worker."""
    return [name for name in names if name.startswith(PREFIX) and not _is_setting(name)]


def _is_setting(name: str) -> bool:
    known = {variable(dotted) for dotted in names()}
    return name in known or name.removesuffix(SUFFIX) in known


def run_tool(name: str, *arguments: str, cwd: Path = ROOT) -> None:
    """Run a checker if it is installed, beside this Python or anywhere else, and fail with its output."""
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    path = shutil.which(name, path=beside)
    if path is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([path, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
