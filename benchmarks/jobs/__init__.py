"""One job written in several ways: read comments, attach constant scores, write events, commit what was written.

Each module is a program, `python -m benchmarks.jobs.NAME SERVERS INPUT OUTPUT GROUP`, that runs until it is stopped.
Those that need a stream library run in a separate environment, because the libraries' pinned dependencies exclude each
other.
"""

SCORES = {
    "toxic": 0.912345,
    "severe_toxic": 0.012345,
    "obscene": 0.712345,
    "threat": 0.001234,
    "insult": 0.612345,
    "identity_hate": 0.012345,
}
"""The scores that the classifier that does nothing gives to every text."""

LABELS = [label for label, score in SCORES.items() if score >= 0.5]
