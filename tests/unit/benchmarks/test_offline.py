from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.offline import classify
from worker.stream.batching import BatchLimits


class Letters(NamedTuple):
    """A text with as many tokens as letters."""

    text: str
    tokens: int


class Listening:
    """Keeps the batches it is asked to score."""

    def __init__(self) -> None:
        self.batches: list[list[Letters]] = []

    def encode(self, texts: Sequence[str]) -> list[Letters]:
        return [Letters(text, len(text)) for text in texts]

    def score(self, encoded: Sequence[Letters]) -> None:
        self.batches.append(list(encoded))


def test_every_text_is_scored_once_in_full_batches_and_counted() -> None:
    texts = ["x" * (number % 90 + 1) for number in range(1000)]
    classifier: Any = Listening()

    curves = classify(classifier, texts, BatchLimits(64, 4 * 128))

    assert [one.text for batch in classifier.batches for one in batch] == texts
    sizes = [sum(one.tokens for one in batch) for batch in classifier.batches]
    assert max(sizes) <= 4 * 128
    assert min(sizes[:-1]) > 4 * 128 - 90
    assert curves["comments"][-1][1] == 1000
    assert curves["tokens"][-1][1] == sum(map(len, texts))
    assert len(curves["model_seconds"]) == len(classifier.batches)
