"""The golden record: what plain transformers computes for a checkpoint, stored beside it, so that a start can skip it.

Importing transformers' models and building one takes longer than everything else in a start. A checkpoint with a golden
record is loaded without them and still checked against the same results: its logits at each load against the recorded
logits, its tokenizer against the recorded token ids. A record is valid only for the digest it was made from.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

GOLDEN_FILE = "golden.json"


@dataclass(frozen=True, slots=True)
class Golden:
    """What transformers computed with a checkpoint.

    Attributes:
        digest: Digest of the checkpoint's files.
        architecture: Name of the model's class.
        window_limit: Tokens the model reads at once, as model and tokenizer state it; None when neither does.
        unknown: Id of the token that stands for everything outside the vocabulary.
        special: Ids of the tokens that no text may put into the model's input.
        windows: Token ids that the model was given.
        logits: The model's float32 logits for each window.
        texts: Texts that the tokenizer was given.
        token_ids: The tokenizer's token ids for each text, special tokens included.
    """

    digest: str
    architecture: str
    window_limit: int | None
    unknown: int | None
    special: list[int]
    windows: list[list[int]]
    logits: list[list[float]]
    texts: list[str]
    token_ids: list[list[int]]


def read_golden(folder: Path, digest: Callable[[], str]) -> Golden | None:
    """The record in `folder`; None when there is none or it was made from other files.

    Args:
        folder: The checkpoint's folder.
        digest: Returns the checkpoint's digest; called only when there is a record.
    """
    file = folder / GOLDEN_FILE
    try:
        golden = Golden(**json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        log.warning("%s cannot be read (%s): loading with transformers, slower", file, type(error).__name__)
        return None
    if golden.digest != digest():
        log.warning("%s was recorded from other files than these: loading with transformers, slower", file)
        return None
    return golden


def write_golden(folder: Path, golden: Golden) -> Path:
    """Write the record to the checkpoint's folder, and return the file."""
    file = folder / GOLDEN_FILE
    # One attribute a line: it is data, but a diff should show what changed.
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in asdict(golden).items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return file
