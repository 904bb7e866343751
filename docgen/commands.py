"""The page of commands, from their help."""

import contextlib
import io
import os
from unittest.mock import patch

from docgen.markdown import block, page
from worker.cli import dispatch
from worker.command_list import COMMANDS

_INTRODUCTION = """\
This is what `sluice COMMAND --help` prints. With `--json` a command prints one JSON object a line on stdout and nothing
else there; logs and progress go to stderr. `python -m sluice` is the same command.

Completion in bash: `eval "$(sluice --completion bash)"`. In zsh, `sluice --completion zsh` prints a file to be saved as
`_sluice` in a folder of `fpath`."""

_COLUMNS = "110"


def render() -> str:
    """The page."""
    front = f"## sluice\n\n{block(help_of('--help'))}"
    settings = f"## Settings of every command\n\n{block(help_of('--help-settings'))}"
    each = [f"## sluice {name}\n\n{block(help_of(name, '--help'))}" for name in COMMANDS]
    return page("Commands", _INTRODUCTION, front, settings, *each)


def help_of(*arguments: str) -> str:
    """What these arguments print."""
    printed = io.StringIO()
    width = {"COLUMNS": _COLUMNS, "NO_COLOR": "1"}
    with patch.dict(os.environ, width), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        dispatch(arguments)
    return printed.getvalue()
