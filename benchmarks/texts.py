"""The texts on which benchmarks run."""

import os
import sys
from pathlib import Path

from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS


def read_texts(path: Path | None) -> list[str]:
    """The texts of a CSV file, or the demo's samples when none is named; a missing file ends the program."""
    if path is None and "SLUICE_DATA" in os.environ:
        path = Path(os.environ["SLUICE_DATA"])
    if path is not None and path.is_dir():
        path /= "validation.csv"
    if path is None:
        print(
            "neither --data nor SLUICE_DATA is set: using the demo's samples, which are shorter than most comments",
            file=sys.stderr,
        )
        return [comment.text for comment in read_comments(SAMPLE_COMMENTS)]
    if not path.is_file():
        sys.exit(f"there is no file {path}. Give --data FILE, or set SLUICE_DATA to a folder with validation.csv.")
    return [comment.text for comment in read_comments(path)]
