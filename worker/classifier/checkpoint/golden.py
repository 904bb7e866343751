"""What plain transformers answers for a checkpoint, recorded beside it, so that a start need not ask it again.

Importing transformers' models and building one takes longer than all the rest of a start. A checkpoint with such a
record is loaded without them, and held against the same answers all the same: its logits at each load against the
recorded ones, its tokenizer against the recorded token ids. A record counts for exactly the digest it was made of.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

GOLDEN_FILE = "golden.json"


@dataclass(frozen=True, slots=True)
class Golden:
    """What transformers made of a checkpoint.

    Attributes:
        digest: Of the checkpoint's files.
        architecture: Name of the model's class.
        window_limit: Tokens the model reads at once, as model and tokenizer state it; None when neither does.
        unknown: Id of the token for what the vocabulary lacks.
        special: Ids of all special tokens.
        windows: Token ids that the model was given.
        logits: What it answered in float32, for each window.
        texts: Texts that the tokenizer was given.
        token_ids: What it answered, special tokens included, for each text.
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
    """The record in `folder`; None when there is none or it was made of other files.

    Args:
        folder: The checkpoint's.
        digest: Gives the checkpoint's digest; asked only where there is a record.
    """
    file = folder / GOLDEN_FILE
    try:
        golden = Golden(**json.loads(file.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        logger.warning("%s cannot be read (%s): loading with transformers, slower", file, type(error).__name__)
        return None
    if golden.digest != digest():
        logger.warning("%s was recorded of other files than are here: loading with transformers, slower", file)
        return None
    return golden


def write_golden(folder: Path, golden: Golden) -> Path:
    """Keep the record in the checkpoint's folder, and return the file."""
    file = folder / GOLDEN_FILE
    # One attribute a line: it is data, but a change of it should be seen.
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in asdict(golden).items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return file
