"""Whether the memory of the classifier alone is bounded under ever-changing shapes.

python -m benchmarks.memory --seconds 3600

Batches range from one text to hundreds and from a word to many windows, and no two are alike. So this shows growth from
kernels that oneDNN compiles for a shape, from what it keeps between calls, and from memory that the allocator cannot
return. (`leaks` measures the whole worker.)
"""

import logging
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.growth import WARM_UP_SHARE, after_warm_up, draw_memory, growth_an_hour
from benchmarks.program import Program
from worker.classifier import Classifier

MOST_TEXTS = 256
LONGEST_WORDS = 3000
"""Words of the longest text: some 4,000 tokens, which fill all the windows that are scored."""

LONG_SHARE = 0.02
"""Share of the batches that also hold such a text."""

_BYTES_A_MIB = 1 << 20
_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment.

    Attributes:
        seconds: Time since scoring began.
        resident_mib: Its resident memory.
        batches: Batches scored so far.
        texts: Texts scored so far.
        tokens: Tokens computed so far.
    """

    seconds: float
    resident_mib: float
    batches: int
    texts: int
    tokens: int


def main() -> None:
    """Run the benchmark, print the samples and the slope, write JSON and plot."""
    program = Program("memory", __doc__, needs_kafka=False)
    add = program.parser.add_argument
    add("--seconds", type=float, default=300, help="how long to run (default: 300)")
    add("--samples", type=int, default=60, help="number of samples of its memory (default: 60)")
    add("--model", default="sluice-mini", help="checkpoint to score with (default: sluice-mini)")
    add("--precision", default="auto", help="auto, float32, bfloat16 or int8 (default: auto)")
    arguments = program.parse()
    logging.basicConfig(level=logging.WARNING)
    classifier = Classifier.load(arguments.model, precision=arguments.precision)
    classifier.warm_up()
    samples = watch(classifier, program.texts(), arguments.seconds, arguments.samples)
    report = {
        "model": classifier.identity._asdict(),
        "slope_mib_per_hour": growth_an_hour(samples, "resident_mib"),
        "samples": [asdict(sample) for sample in samples],
    }
    print_table(classifier, samples)
    title = "resident memory, ever-changing shapes"
    program.save(report, lambda figure: draw_memory(figure, title, samples))


def watch(classifier: Classifier, texts: Sequence[str], seconds: float, count: int) -> list[Sample]:
    """Sample this process at equal intervals, first before anything is scored."""
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
    """Batches without end: every order of magnitude of size is equally likely; texts are whole, cut or repeated."""
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
    """Print the table, as Markdown."""
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
