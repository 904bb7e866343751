"""What every engine's program does alike: read the request, tokenize, sort, pad, score and time."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from benchmarks.padded_batches import MAX_TOKENS, sorted_batches


@dataclass(frozen=True, slots=True)
class Request:
    """What the benchmark asks of an engine.

    Attributes:
        folder: The checkpoint.
        precision: `float32`, `bfloat16` or `int8`.
        threads: Threads that one batch is computed with.
        texts: The texts to score in each round.
        calibration: Other texts, for an engine that quantizes by example.
    """

    folder: str
    precision: str
    threads: int
    texts: list[str]
    calibration: list[str]


class Unsupported(Exception):
    """The engine cannot run this checkpoint in this precision on this machine; the message says why."""


Logits = Callable[[list[list[int]]], NDArray[np.float32]]
"""Token ids of a batch, longest text first, to logits [texts, labels]."""


def serve(load: Callable[[Request, Tokenizer], Logits], packages: Sequence[str]) -> None:
    """Answer the benchmark until its input ends.

    Args:
        load: Builds the model; raises Unsupported.
        packages: Distributions whose versions belong to the result.
    """
    # Libraries print to the standard output, which is for answers here.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(found: dict[str, object]) -> None:
        answers.write(json.dumps(found) + "\n")
        answers.flush()

    request = Request(**json.loads(sys.stdin.readline()))
    tokenizer = Tokenizer.from_file(str(Path(request.folder) / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    versions = {name: metadata.version(name) for name in packages}
    try:
        logits = load(request, tokenizer)
    except Unsupported as why:
        answer({"unsupported": str(why), "versions": versions})
        return
    answer({"scores": score(tokenizer, logits, request.texts).tolist(), "versions": versions})
    for _ in sys.stdin:
        started, started_cpu = time.perf_counter(), time.process_time()
        score(tokenizer, logits, request.texts)
        answer({"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - started_cpu})


def score(tokenizer: Tokenizer, logits: Logits, texts: Sequence[str]) -> NDArray[np.float32]:
    """Scores [texts, labels] of all texts, in their order."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    batches = sorted_batches([len(row) for row in ids])
    found = np.concatenate([logits([ids[index] for index in batch]) for batch in batches])
    result = np.empty_like(found)
    result[[index for batch in batches for index in batch]] = 1 / (1 + np.exp(-found))
    return result


def padded(batch: list[list[int]], padding: int) -> dict[str, NDArray[np.int64]]:
    """The model's inputs for a batch whose first text is the longest."""
    ids = np.full((len(batch), len(batch[0])), padding, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}
