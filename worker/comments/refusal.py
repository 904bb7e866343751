"""The error for a bad line in a file of comments: it names the line and the problem, and never quotes the content."""

from worker.errors import SettingsInvalid


def refusal(name: str, line: int, what: str) -> SettingsInvalid:
    """The error to raise for a line of a file: what is wrong with it and what to do."""
    return SettingsInvalid(f"{name}, line {line}: {what}")
