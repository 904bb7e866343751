"""The rows that a token head reads: as the packed forward pass gives them, when it is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from training.marked_spans import Place
from worker.classifier.classifier import Classifier
from worker.classifier.forward.packed import PackedForward
from worker.classifier.forward.token_head import HeadWeights, TokenHead

PART = 400
"""Texts of one file, so that a run that is stopped goes on where it was."""


class States(NamedTuple):
    """A text's first window.

    Attributes:
        rows: What enters the last layer, [tokens, size], special tokens left out.
        places: Where each of these tokens is in the text.
    """

    rows: NDArray[np.float32]
    places: list[Place]


class _Recorder(TokenHead):
    """Keeps the rows of every window as they are."""

    def __init__(self) -> None:
        super().__init__(HeadWeights(*(torch.zeros(0) for _ in HeadWeights._fields)), [], torch.device("cpu"))

    def flagged(self, logits: torch.Tensor) -> list[int]:
        return list(range(len(logits)))

    def read(self, rows: torch.Tensor) -> torch.Tensor:
        return rows.float().cpu()


class StateReader:
    """Reads states with a model in float32, and keeps them in files.

    Args:
        checkpoint: Folder of a model that is computed in packs.
        work: Folder for the files; made when it is missing.
        threads: CPU threads.

    Raises:
        TypeError: The model has no packed forward pass.
    """

    def __init__(self, checkpoint: Path, work: Path, threads: int) -> None:
        self.classifier = Classifier.load(
            str(checkpoint), precision="float32", device="cpu", threads=threads, reasons="off", canonical_view=False
        )
        parts: Any = self.classifier._model  # noqa: SLF001 - the parts, as the worker joins them
        if not isinstance(parts.forward, PackedForward):
            message = f"{checkpoint} is not computed in packs: a token head could not read its rows"
            raise TypeError(message)
        parts.forward.read_tokens_with(_Recorder())
        self.memory, self.tokenizer, self.plan = parts.memory, parts.tokenizer, parts.plan
        self._work = work
        work.mkdir(parents=True, exist_ok=True)

    def read(self, name: str, texts: Sequence[str]) -> list[States]:
        """The states of each text, in order; files of an earlier run under the same name are used again."""
        found: list[States] = []
        for first in range(0, len(texts), PART):
            file = self._work / f"{name}-{first}.npz"
            part = texts[first : first + PART]
            places = [(self.tokenizer.places(text, self.plan.content) or [])[: self.plan.content] for text in part]
            if not file.exists():
                np.savez(file, rows=self._rows(part).astype(np.float16))
                print(file.name, flush=True)
            rows = np.load(file)["rows"].astype(np.float32)
            ends = np.cumsum([len(own) for own in places])
            found += [States(own, at) for own, at in zip(np.split(rows, ends[:-1]), places, strict=True)]
        return found

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Logits of each text's first window, [texts, labels]."""
        windows = [self.plan.windows(ids)[0] for ids in self.tokenizer.encode(texts, self.plan.content)]
        logits: NDArray[np.float32] = self.memory.logits(windows).numpy()
        return logits

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        windows = [self.plan.windows(ids)[0] for ids in self.tokenizer.encode(texts, self.plan.content)]
        marks: dict[int, torch.Tensor] = {}
        self.memory.logits(windows, marks)
        first, after = len(self.plan.prefix), len(self.plan.suffix)
        return np.concatenate([marks[index][first : len(marks[index]) - after].numpy() for index in range(len(texts))])
