"""The canonical reading: what a person sees in a text whose spelling hides it from a model."""

from worker.classifier.text.canonical.homoglyphs import look_alikes
from worker.classifier.text.canonical.reading import Reading
from worker.classifier.text.canonical.steps import canonical
from worker.classifier.text.canonical.words import words

CANONICAL_VIEW = "canonical@1"
"""Name and version of the reading, in events and their ids. Any change to how a text reads raises the version."""


def read_tables() -> None:
    """Load the tables that readings need, before the first text needs them; this takes a few tenths of a second."""
    words()
    look_alikes()


__all__ = ["CANONICAL_VIEW", "Reading", "canonical", "read_tables"]
