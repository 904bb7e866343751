"""What a look at a cluster or a schema registry found, in the words that a person is shown."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How certain it is that the worker can't do its work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        severity: `error` for what certainly stops the worker, `warning` for what may cost records or time.
        text: What was found, and what to do.
    """

    severity: Severity
    text: str
