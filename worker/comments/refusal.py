"""How a file of comments is refused: with the line and what is wrong with it, never with what it holds."""

from worker.errors import SettingsInvalid


def refusal(name: str, line: int, what: str) -> SettingsInvalid:
    """The error to raise for a line of a file: what is wrong with it and what to do."""
    return SettingsInvalid(f"{name}, line {line}: {what}")
