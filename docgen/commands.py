"""The page of commands, from their help."""

import contextlib
import io
import os
from unittest.mock import patch

from docgen.markdown import block, page
from worker.cli import COMMANDS, dispatch

_INTRODUCTION = """\
This is what `sluice COMMAND --help` prints. With `--json` a command prints one JSON object a line on stdout and nothing
else there; logs and progress go to stderr. `python -m sluice` is the same command.

Completion in bash: `eval "$(sluice --completion bash)"`. In zsh, `sluice --completion zsh` prints a file to be saved as
`_sluice` in a folder of `fpath`."""

_COLUMNS = "110"
_SETTINGS = "\nsettings:"


def render() -> str:
    """The page."""
    front = f"## sluice\n\n{block(help_of())}"
    each = [f"## sluice {name}\n\n{block(_own(help_of(name)))}" for name in COMMANDS]
    return page("Commands", _INTRODUCTION, front, *each)


def help_of(*command: str) -> str:
    """The help of a command, as it prints it."""
    printed = io.StringIO()
    width = {"COLUMNS": _COLUMNS, "NO_COLOR": "1"}
    with patch.dict(os.environ, width), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        dispatch([*command, "--help"])
    return printed.getvalue()


def _own(text: str) -> str:
    """The help without the flags that every command has: they stand once, under `sluice`."""
    before, found, after = text.partition(_SETTINGS)
    if not found:
        return text
    _, _, example = after.rpartition("\n\n")
    return f"{before.rstrip()}\n\nsettings: the flags of `sluice` above\n\n{example}"
