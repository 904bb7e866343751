"""Comments a second on a CUDA device: the forward pass alone, and one and more processes from text to labels.

python -m benchmarks.gpu --data validation.csv

The forward pass gets windows that are tokenized already. Its TFLOP/s are useful ones, as in `benchmarks.classify`: the
operations that the whole model needs for the real tokens, even where part of them is skipped. They are compared with
the card's dense bfloat16 rate by its datasheet (--peak, which is model FLOPs utilization, MFU) and with a plain square
product measured in the same run, which is what the card gives. A process from text to labels is `benchmarks.offline`:
the worker's batches, and a thread that tokenizes ahead.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from benchmarks.checkpoints import bert_shape, distilbert_shape
from benchmarks.padded_batches import MAX_TOKENS
from benchmarks.program import Program
from benchmarks.results import SIZE, bars
from benchmarks.rivals import Transformers
from benchmarks.shape import Shape
from benchmarks.steady_rate import measure
from worker.classifier.forward.build import build_forward
from worker.classifier.forward.trial import Sample
from worker.models import embedded_model
from worker.settings import Precision

PASS_TOKENS = (2048, 16_384, 65_536, 131_072)
PROCESSES = (1, 2, 4, 8)
BATCH_RECORDS = 1024
SQUARE = 8192
PIPELINES = {1: 300, 32: 2000, 256: 3000}
"""Texts given to `pipeline`, by batch size."""

RATE_OF_ONE = 3000
"""Comments a second that one process does, about: it gets as many as it will take so many seconds for."""

_ROUNDS = 5
_TERA = 1e12


@dataclass(frozen=True, slots=True)
class Pass:
    """Forward passes over packs of up to `tokens` tokens, median of the rounds.

    Attributes:
        tokens: Tokens computed at once.
        rate: Comments a second.
        token_rate: Tokens a second.
        teraflops: Useful TFLOP/s.
        difference: Largest difference of a score from float32.
    """

    tokens: int
    rate: float
    token_rate: float
    teraflops: float
    difference: float


def main() -> None:
    """Run the benchmark, print the tables, write JSON and plot."""
    program = Program("gpu", __doc__, needs_kafka=False)
    add = program.parser.add_argument
    add("--peak", type=float, default=989, help="dense bfloat16 TFLOP/s of the card by its datasheet (default: 989)")
    add("--comments", type=int, default=10_000, help="comments of the forward pass, repeated as needed")
    add("--seconds", type=float, default=8, help="about how long the processes run (default: 8)")
    arguments = program.parse()
    if not torch.cuda.is_available():
        sys.stderr.write("gpu: skipped: torch sees no CUDA device\n")
        return
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # untyped in the package
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # untyped in the package
    texts = program.texts(shuffled=True)
    repeated = [texts[number % len(texts)] for number in range(arguments.comments)]
    attainable = square_teraflops()
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {os.cpu_count()} cores; "
        f"a product of {SQUARE} x {SQUARE}: {attainable:.0f} TFLOP/s"
    )
    report: dict[str, Any] = {"card": torch.cuda.get_device_name(), "peak": arguments.peak, "square": attainable}
    with tempfile.TemporaryDirectory() as scratch:
        models = {
            "DistilBERT-base shape": distilbert_shape(Path(scratch, "distilbert"), texts),
            "BERT-base shape": bert_shape(Path(scratch, "bert"), texts),
        }
        if embedded := embedded_model("sluice-mini"):
            models[embedded.name] = embedded
        report["forward"] = {}
        for name, folder in models.items():
            passes = forward_passes(folder, repeated)
            report["forward"][name] = [asdict(each) for each in passes]
            print_passes(name, passes, arguments.peak, attainable)
        report["whole"] = {}
        for name in [name for name in models if name != "BERT-base shape"]:
            rates = {f"pipeline, batch {size}": pipeline_rate(models[name], size, texts) for size in PIPELINES}
            for processes in PROCESSES:
                rate = whole_rate(models[name], repeated, processes, arguments.seconds)
                rates[f"sluice, {processes} process" + ("es" if processes > 1 else "")] = rate
            report["whole"][name] = rates
            print(f"\n{name}, text to labels\n\n| | comments/s |\n|---|---|")
            for rival, rate in rates.items():
                print(f"| {rival} | {rate:,.0f} |", flush=True)
    size = (SIZE[0], SIZE[1] * len(report["whole"]))
    program.save(report, lambda figure: draw(figure, report), size=size)


def square_teraflops() -> float:
    """TFLOP/s of a square bfloat16 product on the device."""
    left, right = (torch.randn(SQUARE, SQUARE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return float(2 * SQUARE**3 / timed(lambda: torch.matmul(left, right)) / _TERA)


def timed(call: Callable[[], object]) -> float:
    """Median seconds of the call, with what it queued on the device."""
    call()
    seconds = []
    for _ in range(_ROUNDS):
        torch.cuda.synchronize()
        started = time.perf_counter()
        call()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def forward_passes(folder: Path, texts: Sequence[str]) -> list[Pass]:
    """The forward pass over the texts, for each size of a pack."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    distinct = list(dict.fromkeys(texts))
    ids = tokenizer(distinct, truncation=True, max_length=MAX_TOKENS)["input_ids"]
    by_text = dict(zip(distinct, ids, strict=True))
    windows = [by_text[text] for text in texts]
    compared = windows[:512]
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval().cuda()
    with torch.inference_mode():
        rows = [model(input_ids=torch.tensor([window], device="cuda")).logits for window in compared]
    expected = torch.sigmoid(torch.cat(rows).float()).cpu()
    flops, tokens = Shape.of(folder).flops([len(window) for window in windows]), sum(map(len, windows))
    passes = []
    for size in PASS_TOKENS:
        forward = build_forward(
            lambda: AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval(),
            Sample(compared[:2]),
            device=torch.device("cuda"),
            precision=Precision.BFLOAT16,
            max_tokens=size,
            threads=None,
        )
        seconds = timed(lambda forward=forward: forward.logits(windows))  # type: ignore[misc] # its own forward pass
        difference = float((torch.sigmoid(forward.logits(compared)) - expected).abs().max())
        passes.append(Pass(size, len(windows) / seconds, tokens / seconds, flops / seconds / _TERA, difference))
    return passes


def print_passes(name: str, passes: Sequence[Pass], peak: float, attainable: float) -> None:
    """Print the table of one checkpoint's forward pass, as Markdown."""
    print(f"\n{name}, forward pass\n")
    print(
        "| tokens at once | comments/s | million tokens/s | useful TFLOP/s | MFU | of a square product | largest diff |"
    )
    print("|---|---|---|---|---|---|---|")
    for each in passes:
        print(
            f"| {each.tokens:,} | {each.rate:,.0f} | {each.token_rate / 1e6:.2f} | {each.teraflops:.0f} "
            f"| {each.teraflops / peak:.1%} | {each.teraflops / attainable:.1%} | {each.difference:.4f} |",
            flush=True,
        )


def pipeline_rate(folder: Path, batch_size: int, texts: Sequence[str]) -> float:
    """Comments a second of `transformers.pipeline` in bfloat16 on the device."""
    some = texts[: PIPELINES[batch_size]]
    score = Transformers(folder, torch.bfloat16).pipeline(batch_size, "cuda")
    score(some[:64])
    started = time.perf_counter()
    score(some)
    return len(some) / (time.perf_counter() - started)


def whole_rate(folder: Path, texts: Sequence[str], processes: int, seconds: float) -> float:
    """Comments a second of so many processes at work at the same time on the one device, from text to labels."""
    own = [texts[number % len(texts)] for number in range(int(RATE_OF_ONE * seconds))]
    environment = os.environ | {
        "SLUICE_MODEL__ID": str(folder),
        "SLUICE_MODEL__DEVICE": "cuda",
        "SLUICE_MODEL__MAX_WINDOWS": "1",
        "SLUICE_MODEL__MULTI_LABEL": "true",
        "SLUICE_BATCH__MAX_RECORDS": str(BATCH_RECORDS),
        "SLUICE_DELIVERY__MAX_IN_FLIGHT_RECORDS": str(4 * BATCH_RECORDS),
    }
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.offline"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for one in running:
        assert one.stdin is not None  # noqa: S101 - it is a pipe
        json.dump(own, one.stdin)
        one.stdin.close()
    curves = [json.load(one.stdout) for one in running if one.stdout is not None]
    for one in running:
        one.wait()
    return sum(measure(each).rate for each in curves)


def draw(figure: Any, report: dict[str, Any]) -> None:
    """Draw bars of comments a second from text to labels, with a panel for each model."""
    for index, (name, rates) in enumerate(report["whole"].items()):
        axes = figure.add_subplot(len(report["whole"]), 1, index + 1)
        bars(axes, f"{name}, {report['card']}: comments a second, text to labels", rates, label="%.0f")


if __name__ == "__main__":
    main()
