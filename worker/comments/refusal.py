"""The error for a bad line in a file of comments: it names the line and the problem, and never quotes the content."""

from collections.abc import Callable, Sequence

from worker.documents.unreadable import Unreadable
from worker.errors import SettingsInvalid

Joined = Callable[[Sequence[str]], str]
"""From the texts of a comment to what a reader sees (`worker.documents.texts.joiner`)."""


def refusal(name: str, line: int, what: str) -> SettingsInvalid:
    """The error to raise for a line of a file: what is wrong with it and what to do."""
    return SettingsInvalid(f"{name}, line {line}: {what}")


def shown_text(joined: Joined, texts: Sequence[str | None], name: str, line: int) -> str:
    """What a reader sees of the texts of a line.

    Raises:
        SettingsInvalid: Their markup is too long or too intricate.
    """
    try:
        return joined([text for text in texts if text is not None])
    except Unreadable as error:
        raise refusal(name, line, f"{error.reason}.") from None
