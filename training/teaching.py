"""What teachers say of the texts that a student learns from: their logits, averaged, kept in a file.

Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531) from an ensemble; the texts are scored as written, and the
student learns the same answers for its misspelled copies of them.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.corpus import Floats
from training.data import LABELS
from training.logits import compute_logits, token_ids
from training.model import load_model, load_tokenizer


def score_texts(checkpoint: Path, texts: Sequence[str], max_tokens: int, *, bfloat16: bool) -> Floats:
    """Logits of one checkpoint for `texts`, float32 of shape [texts, 6]."""
    model, tokenizer = load_model(checkpoint), load_tokenizer(checkpoint)
    rows = token_ids(tokenizer, texts, max_tokens)
    return compute_logits(model, rows, tokenizer.pad_token_id, bfloat16=bfloat16).astype(np.float32)


def write_scores(file: Path, texts: Sequence[str], logits: Floats) -> None:
    """Keep the logits of `texts`, each under its text's digest."""
    np.savez(file, logits=logits, digests=_digests(texts))


def read_scores(files: Sequence[Path], texts: Sequence[str]) -> Floats:
    """Mean logits of several files, shape [texts, 6]; NaN where no file has the text."""
    wanted = _digests(texts)
    total = np.zeros((len(texts), len(LABELS)), dtype=np.float32)
    count = np.zeros((len(texts), 1), dtype=np.float32)
    for file in files:
        with np.load(file) as kept:
            digests, logits = kept["digests"], kept["logits"].astype(np.float32)
        order = np.argsort(digests)
        place = order[np.searchsorted(digests, wanted, sorter=order).clip(max=len(digests) - 1)]
        found = (digests[place] == wanted)[:, None]
        total += np.where(found, logits[place], 0)
        count += found
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count, dtype=np.float32)


def _digests(texts: Sequence[str]) -> NDArray[np.uint64]:
    """The first eight bytes of each text's SHA-256, shape [texts]."""
    hashed = (hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8] for text in texts)
    return np.array([int.from_bytes(digest, "big") for digest in hashed], dtype=np.uint64)
