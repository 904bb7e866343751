"""Memory of the classifier alone under ever-changing shapes: bounded, or growing with each new one.

python -m benchmarks.memory --seconds 3600

Batches of one text and of hundreds, of a word and of many windows, no two alike: what oneDNN compiles for a shape, what
it keeps between calls and what the allocator cannot give back would show. (`leaks` watches the whole worker.)
"""

import argparse
import logging
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.growth import WARM_UP_SHARE, after_warm_up, draw_memory, growth_an_hour
from benchmarks.machine import machine
from benchmarks.results import save
from benchmarks.texts import read_texts
from worker.classifier import Classifier

MOST_TEXTS = 256
LONGEST_WORDS = 3000
"""Of a text: some 4,000 tokens, all the windows that are scored."""

LONG_SHARE = 0.02
"""Of the batches that hold such a text as well."""

_BYTES_A_MIB = 1 << 20
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment.

    Attributes:
        seconds: Since scoring began.
        resident_mib: Memory it holds.
        batches: Scored so far.
        texts: Scored so far.
        tokens: Computed so far.
    """

    seconds: float
    resident_mib: float
    batches: int
    texts: int
    tokens: int


def main() -> None:
    """Score for so long, print the samples and the slope, write JSON and plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="how long (default: 300)")
    parser.add_argument("--samples", type=int, default=60, help="how many samples of its memory (default: 60)")
    parser.add_argument("--data", type=Path, help="CSV with a `text` column, or its folder (default: SLUICE_DATA)")
    parser.add_argument("--model", default="sluice-mini", help="checkpoint to score with (default: sluice-mini)")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or int8 (default: auto)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the JSON and plot")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    classifier = Classifier.load(arguments.model, precision=arguments.precision)
    classifier.warm_up()
    samples = watch(classifier, read_texts(arguments.data), arguments.seconds, arguments.samples)
    report = {
        "machine": machine(),
        "model": classifier.identity._asdict(),
        "slope_mib_per_hour": growth_an_hour(samples, "resident_mib"),
        "samples": [asdict(sample) for sample in samples],
    }
    print_table(classifier, samples)
    title = "resident memory, ever-changing shapes"
    save(arguments.out, "memory", report, lambda figure: draw_memory(figure, title, samples))


def watch(classifier: Classifier, texts: Sequence[str], seconds: float, count: int) -> list[Sample]:
    """Samples of this process, taken at equal intervals, the first before anything is scored."""
    started = time.monotonic()
    samples = [_sample(classifier, 0.0, 0)]
    for number, batch in enumerate(batches(texts), start=1):
        classifier.score(classifier.encode(batch))
        passed = time.monotonic() - started
        if passed >= seconds * len(samples) / count:
            samples.append(_sample(classifier, passed, number))
            sys.stderr.write(f"{samples[-1]}\n")
        if passed >= seconds:
            break
    return samples


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Batches without end: every size as likely by its order of magnitude, texts whole, cut anywhere or repeated."""
    chooser = random.Random(0)  # noqa: S311 - a sample, not a secret
    while True:
        batch = chooser.choices(texts, k=round(MOST_TEXTS ** chooser.random()))
        batch = [text[: chooser.randint(1, len(text))] if text and chooser.random() < 0.5 else text for text in batch]
        if chooser.random() < LONG_SHARE:
            words = [word for text in chooser.choices(texts, k=100) for word in text.split()]
            batch.append(" ".join(words[: chooser.randint(1, LONGEST_WORDS)]))
        yield batch


def _sample(classifier: Classifier, seconds: float, number: int) -> Sample:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    done = classifier.counters
    return Sample(round(seconds, 1), pages * _PAGE / _BYTES_A_MIB, number, done.texts, done.computed_tokens)


def print_table(classifier: Classifier, samples: Sequence[Sample]) -> None:
    """The table, as Markdown."""
    last, kept = samples[-1], after_warm_up(samples)
    held = [sample.resident_mib for sample in samples]
    growth = growth_an_hour(samples, "resident_mib")
    print(
        f"\n{classifier.identity.id} in {classifier.identity.precision}: {last.batches:,} batches, {last.texts:,} "
        f"texts, {last.tokens:,} tokens in {last.seconds:,.0f} s; slope over the last {1 - WARM_UP_SHARE:.0%}\n"
    )
    print("| resident MiB: loaded | after warm-up | last | largest | slope, MiB an hour |")
    print("|---|---|---|---|---|")
    print(f"| {held[0]:.0f} | {kept[0].resident_mib:.0f} | {held[-1]:.0f} | {max(held):.0f} | {growth:+.1f} |")


if __name__ == "__main__":
    main()
