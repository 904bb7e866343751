"""The digest that identifies a checkpoint's content, so that a score can be traced to the exact model a year later."""

import hashlib
from collections.abc import Sequence
from pathlib import Path


def checkpoint_digest(files: Sequence[Path]) -> str:
    """`sha256:` and the digest over the names and contents of `files`, sorted by name.

    A shell in the checkpoint's folder gives the same digest, with the names in the C locale's order:
    `sha256sum config.json model.safetensors tokenizer.json ... | sha256sum`.
    """
    listing = hashlib.sha256()
    for path in sorted(files, key=lambda file: file.name):
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        listing.update(f"{digest}  {path.name}\n".encode())
    return f"sha256:{listing.hexdigest()}"
