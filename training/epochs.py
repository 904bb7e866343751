"""The token ids of an epoch: all texts as they are, some of them with spelling noise, drawn anew in each epoch.

With workers, coming epochs are prepared beside the training; what an epoch holds does not depend on that.
"""

import multiprocessing
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from training.corpus import Corpus
from training.evasion import disguise
from training.logits import token_ids

TokenRows = list[list[int]]


@dataclass(frozen=True, slots=True)
class EpochMaker:
    """What it takes to make any epoch of a run."""

    texts: Sequence[str]
    abusive: Sequence[bool]
    foul: frozenset[str]
    tokenizer: PreTrainedTokenizerBase
    max_tokens: int
    noise_share: float
    seed: int

    def plain(self) -> TokenRows:
        """Token ids of all texts as they are."""
        return token_ids(self.tokenizer, self.texts, self.max_tokens)

    def noisy(self, epoch: int) -> tuple[list[int], TokenRows]:
        """Places of the texts that this epoch spells otherwise, and their token ids."""
        noise = random.Random(f"noise/{self.seed}/{epoch}")  # noqa: S311 (no secret)
        changed: dict[int, str] = {}
        for place, (text, abusive) in enumerate(zip(self.texts, self.abusive, strict=True)):
            spelled = disguise(text, noise, abusive=abusive, foul=self.foul, share=self.noise_share)
            if spelled != text:
                changed[place] = spelled
        return list(changed), token_ids(self.tokenizer, list(changed.values()), self.max_tokens)


class Epochs:
    """The epochs of a run, by number."""

    def __init__(self, maker: EpochMaker, count: int, pool: ProcessPoolExecutor | None) -> None:
        self.maker, self.count, self.pool = maker, count, pool
        self.coming: dict[int, Future[tuple[list[int], TokenRows]]] = {}
        self._submit(first=0)
        self.plain = maker.plain()

    def rows(self, epoch: int) -> TokenRows:
        """Token ids of all texts in the given epoch."""
        places, spelled = self._noisy(epoch)
        rows = list(self.plain)
        for place, row in zip(places, spelled, strict=True):
            rows[place] = row
        return rows

    def _noisy(self, epoch: int) -> tuple[list[int], TokenRows]:
        if self.pool is None:
            return self.maker.noisy(epoch)
        self._submit(epoch)
        return self.coming.pop(epoch).result()

    def _submit(self, first: int) -> None:
        if self.pool is not None:
            for epoch in range(first, self.count):
                if epoch not in self.coming:
                    self.coming[epoch] = self.pool.submit(_noisy_epoch, epoch)


@contextmanager
def open_epochs(corpus: Corpus, foul: frozenset[str], tokenizer: PreTrainedTokenizerBase, max_tokens: int,
                noise_share: float, seed: int, count: int, workers: int) -> Iterator[Epochs]:  # fmt: skip
    """The epochs of a run over `corpus`; `workers` processes prepare them ahead (0: none, each when it is due)."""
    maker = EpochMaker(corpus.texts, corpus.abusive().tolist(), foul, tokenizer, max_tokens, noise_share, seed)
    if not workers:
        yield Epochs(maker, count, None)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin_worker, (maker,)) as pool:
        yield Epochs(maker, count, pool)


_worker_maker: EpochMaker | None = None


def _begin_worker(maker: EpochMaker) -> None:
    global _worker_maker  # noqa: PLW0603 (one per worker process, set once)
    _worker_maker = maker


def _noisy_epoch(epoch: int) -> tuple[list[int], TokenRows]:
    assert _worker_maker is not None  # noqa: S101 (the pool's initializer ran)
    return _worker_maker.noisy(epoch)
