"""Offline classification, the rival of `benchmarks.stream`: a JSON array of texts on stdin, its curves on stdout.

python -m benchmarks.offline < texts.json

The model, its settings (`SLUICE_MODEL__...`, `SLUICE_BATCH__...`) and what a batch holds are the worker's, and as there
a second thread tokenizes `batch.max_records` texts ahead while a batch is in the model. Nothing is read, decoded,
encoded, delivered or committed; texts come in one order, not in that of partitions; and a batch is always full.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from benchmarks.steady_rate import Point
from worker.classifier import Classifier
from worker.classifier.encoded_text import EncodedText
from worker.run import batch_limits
from worker.settings.configuration import load
from worker.stream.batching import Batcher, BatchLimits

CURVES = ("comments", "tokens", "cpu_seconds", "model_seconds")


def main() -> None:
    """Classify the texts on stdin."""
    texts: list[str] = json.load(sys.stdin)
    settings = load()
    classifier = Classifier.load(settings.model)
    classifier.warm_up()
    json.dump(classify(classifier, texts, batch_limits(settings.batch, classifier.pass_tokens)), sys.stdout)


def classify(classifier: Classifier, texts: Sequence[str], limits: BatchLimits) -> dict[str, list[Point]]:
    """Score all texts and return the curves of the run, with a point for each batch."""
    curves: dict[str, list[Point]] = {name: [] for name in CURVES}
    comments, tokens, model_seconds = 0, 0, 0.0
    for batch in _batches(classifier.encode, texts, limits):
        started = time.perf_counter()
        classifier.score(batch)
        model_seconds += time.perf_counter() - started
        comments += len(batch)
        tokens += sum(one.tokens for one in batch)
        now = time.time()
        for name, amount in zip(CURVES, (comments, tokens, time.process_time(), model_seconds), strict=True):
            curves[name].append((now, amount))
    return curves


def _batches(
    encode: Callable[[Sequence[str]], list[EncodedText]], texts: Sequence[str], limits: BatchLimits
) -> Iterator[list[EncodedText]]:
    """Full batches by the worker's own rule, and at the end the remainder."""
    batcher: Batcher[EncodedText] = Batcher(limits)
    for encoded in _encoded_ahead(encode, texts, limits.records):
        batcher.add([(one, one.tokens) for one in encoded], now=0.0)
        while batcher.is_full:
            yield batcher.take()
    while len(batcher):
        yield batcher.take()


def _encoded_ahead(
    encode: Callable[[Sequence[str]], list[EncodedText]], texts: Sequence[str], size: int
) -> Iterator[list[EncodedText]]:
    """Chunks of the texts, in order; while one is used, the next is already being tokenized."""
    coming: Future[list[EncodedText]] | None = None
    with ThreadPoolExecutor(1, "tokenizer") as tokenizer:
        for start in range(0, len(texts), size):
            following = tokenizer.submit(encode, texts[start : start + size])
            if coming is not None:
                yield coming.result()
            coming = following
        if coming is not None:
            yield coming.result()


if __name__ == "__main__":
    main()
