"""A text between tokenizer and model."""

from typing import NamedTuple

from worker.types import Classification, TextFacts, ViewFacts
from worker.verdicts import Language


class EncodedText(NamedTuple):
    """A text ready for the model.

    Attributes:
        key: Digest of the text: equal texts are scored once.
        windows: Token ids of each window of the text as it was written, then of each of its canonical reading.
        facts: How the text was read as it was written.
        known: Its classification, when it was among the recent ones; then there are no windows.
        view: Its canonical reading, where that has other tokens.
        language: Its language; None where that is not detected.
        written: The text as it was written, where reasons may be asked for; else it is not kept.
    """

    key: bytes
    windows: list[list[int]]
    facts: TextFacts
    known: Classification | None
    view: ViewFacts | None = None
    language: Language | None = None
    written: str | None = None

    @property
    def tokens(self) -> int:
        """Tokens the model will compute over all windows of both readings, special tokens included."""
        if self.known:
            return 0
        return self.facts.tokens + (self.view.tokens if self.view else 0)
