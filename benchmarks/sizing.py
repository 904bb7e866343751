"""How much one worker labels: cores x model x tokens of a comment -> comments a second and memory, and what follows.

python -m benchmarks.sizing                      # the table for this machine
python -m benchmarks.sizing --rate 500 --wait 10 # and the workers, partitions and lagThreshold for such a topic

Each cell is a process of its own that does nothing but label texts of about one length with the worker's settings, so
its peak of memory is the cell's, too. A worker's broker client takes some 60 MiB more (`memory` in RUNBOOK.md). On a
machine that others use as well, `per core-second` is the figure to trust: it counts the CPU time of the process only.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.checkpoints import bert_shape, distilbert_shape
from benchmarks.machine import machine
from worker.comments.reading import read_comments
from worker.comments.samples import SAMPLE_COMMENTS

EMBEDDED = "sluice-mini"
SHAPES = {"distilbert-base": distilbert_shape, "bert-base": bert_shape}
TOKENS = (16, 64, 256)
TEXTS = 256
SPARE = 1.25
"""A worker that is busy all the time never catches up after a restart: a quarter more than the mean rate."""


class Cell(NamedTuple):
    """What was measured for one model, number of cores and length.

    Attributes:
        tokens: Mean tokens of a comment, special tokens included.
        rate: Comments a second.
        rate_per_core: Comments for each second of CPU time.
        mebibytes: The process's peak of resident memory.
    """

    model: str
    precision: str
    cores: int
    tokens: float
    rate: float
    rate_per_core: float
    mebibytes: float


def main() -> None:
    """Measure and print."""
    options = _options()
    if options.cell:
        model, cores, tokens = options.cell
        print(json.dumps(_measure(model, cores, tokens, options.seconds)._asdict()))
        return
    found = machine()
    print(f"{found['cpu']}, {found['cores']} cores, torch {found['versions']['torch']}, load {found['load_before']}\n")
    print("| model | cores | tokens | comments/s | per core-second | memory, MiB |\n|---|---|---|---|---|---|")
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        texts = [comment.text for comment in read_comments(SAMPLE_COMMENTS)]
        models = {EMBEDDED: EMBEDDED}
        models |= {name: str(make(Path(folder) / name, texts)) for name, make in SHAPES.items()}
        for name in options.models:
            for cores in options.cores:
                for tokens in options.tokens:
                    cell = _in_a_process(models[name], cores, tokens, options.seconds)._replace(model=name)
                    cells.append(cell)
                    print(_row(cell), flush=True)
    if options.rate:
        print(
            "\n"
            + "\n".join(
                f"{cell.model}, {cell.cores} cores, {cell.tokens:.0f} tokens: "
                f"{needs(cell.rate, options.rate, options.wait)}"
                for cell in cells
            )
        )


class Needs(NamedTuple):
    """What a rate needs.

    Attributes:
        workers: At the mean rate, with a quarter to spare.
        partitions: Of the input topic: the workers of a peak of twice the rate, as a number that divides well.
        lag_threshold: KEDA's lagThreshold, records.
    """

    workers: int
    partitions: int
    lag_threshold: int

    def __str__(self) -> str:
        return f"workers {self.workers}, partitions {self.partitions}, lagThreshold {self.lag_threshold}"


def needs(worker_rate: float, wanted_rate: float, wait_seconds: float) -> Needs:
    """Workers, partitions and lagThreshold for a topic of `wanted_rate` comments a second.

    Args:
        worker_rate: Comments a second of one worker.
        wanted_rate: Comments a second that arrive.
        wait_seconds: How long a comment may wait before another worker is worth it.
    """
    workers = math.ceil(SPARE * wanted_rate / worker_rate)
    peak = math.ceil(2 * SPARE * wanted_rate / worker_rate)
    partitions = next(number for number in (6, 12, 24, 48, 96, 192, 384, 768, max(769, peak)) if number >= peak)
    return Needs(workers, partitions, max(1, math.floor(worker_rate * wait_seconds)))


def _in_a_process(model: str, cores: int, tokens: int, seconds: float) -> Cell:
    command = [sys.executable, "-m", "benchmarks.sizing", "--seconds", str(seconds)]
    done = subprocess.run(
        [*command, "--cell", model, str(cores), str(tokens)], check=True, capture_output=True, text=True
    )
    return Cell(**json.loads(done.stdout.splitlines()[-1]))


def _measure(model: str, cores: str, tokens: str, seconds: float) -> Cell:
    from worker.classifier import Classifier  # noqa: PLC0415 - takes seconds, and the parent needs no model

    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(cores)])
    classifier = Classifier.load(model, threads=int(cores))
    texts = _texts_of(classifier, int(tokens))
    classifier.warm_up()
    classifier.classify(texts[:32])
    done, lengths = 0, 0
    began, cpu = time.perf_counter(), time.process_time()
    for start in cycle(range(0, len(texts), 64)):
        for found in classifier.classify(texts[start : start + 64]):
            done += 1
            lengths += found.text.tokens
        if time.perf_counter() - began >= seconds:
            break
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Cell(
        model, classifier.identity.precision, int(cores), lengths / done, done / wall, done / cpu, _peak_mebibytes()
    )


def _texts_of(classifier: Any, tokens: int) -> Sequence[str]:
    """Different texts of about so many tokens, from the words of the samples."""
    words = " ".join(comment.text for comment in read_comments(SAMPLE_COMMENTS)).split()
    texts = []
    for number in range(TEXTS):
        text = " ".join(islice(cycle(words), 7 * number, 7 * number + tokens))
        short = len(text) * tokens // max(1, classifier.encode([text])[0].tokens)
        texts.append(text[: max(8, short)])
    return texts


def _peak_mebibytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def _row(cell: Cell) -> str:
    return (
        f"| {cell.model} ({cell.precision}) | {cell.cores} | {cell.tokens:.0f} | {cell.rate:.0f} | "
        f"{cell.rate_per_core:.0f} | {cell.mebibytes:.0f} |"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [EMBEDDED, *SHAPES]
    whole = sorted({1, len(os.sched_getaffinity(0))})
    parser.add_argument("--models", nargs="+", choices=names, default=names)
    parser.add_argument("--cores", nargs="+", type=int, default=whole)
    parser.add_argument("--tokens", nargs="+", type=int, default=TOKENS, help="tokens of a comment")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each cell (10)")
    parser.add_argument("--rate", type=float, help="comments a second that arrive")
    parser.add_argument("--wait", type=float, default=10.0, help="seconds that a comment may wait (10)")
    parser.add_argument("--cell", nargs=3, metavar=("MODEL", "CORES", "TOKENS"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
