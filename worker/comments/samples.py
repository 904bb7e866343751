"""Sample comments, written for this project: mild but realistic, in many kinds, scripts and lengths."""

from pathlib import Path

SAMPLE_COMMENTS = Path(__file__).with_name("samples.jsonl")
"""JSON lines with `id`, `author` and `text`, for `worker.comments.reading`."""
