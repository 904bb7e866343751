"""The page of exit codes, from `worker.errors`."""

import inspect

from docgen.markdown import code, page, sentence, summary, table
from worker import errors
from worker.__main__ import INTERRUPTED

_INTRODUCTION = """\
Every command ends with one of these. A supervisor can act on them: 3 and 4 are worth a restart; 2, 5, 6 and 7 need
a person first."""

_OUTSIDE = {
    0: "Done. Ctrl-C or SIGTERM is the normal end of `sluice run`, which drains first, of `watch` and of `demo`.",
    1: "Unexpected, or a fatal fault of Kafka, memory or device. The last line on stderr says which.",
    INTERRUPTED: "Any other command: interrupted by Ctrl-C (128 + SIGINT).",
}


def render() -> str:
    """The page."""
    meanings = dict(_OUTSIDE)
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.SluiceError) and error.exit_code != errors.SluiceError.exit_code:
            meanings[error.exit_code] = f"{meanings.get(error.exit_code, '')} {sentence(summary(error))}".strip()
    rows = [[code(number), meaning] for number, meaning in sorted(meanings.items())]
    return page("Exit codes", _INTRODUCTION, table(["code", "what"], rows))
