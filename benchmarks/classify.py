"""Comments a second of Sluice's classifier against what transformers documents and other engines, with tokenizing.

python -m benchmarks.classify --data validation.csv --comments 512 --rounds 3

The engines run in their own environments (`make bench-rivals`), each row in its own process; those whose environment is
missing are left out with a message.
"""

import datetime as dt
import logging
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

from benchmarks.checkpoints import distilbert_shape
from benchmarks.engine_process import CALIBRATION_TEXTS, EngineProcess, available, running
from benchmarks.padded_batches import MAX_TOKENS, padding_share, sorted_batches
from benchmarks.program import Program
from benchmarks.results import SIZE, bars
from benchmarks.rivals import Score, Transformers, score_with, sluice, with_ranges
from benchmarks.rounds import run_rounds
from benchmarks.shape import Shape, linear_layers
from worker.models import embedded_model

OURS = "sluice bf16"
PRECISIONS = {"sluice fp32": "float32", OURS: "bfloat16", "sluice int8": "int8"}
"""Our rows, and the precision of each."""

LINEAR = "its linear layers alone, bf16"
"""The row of what is attainable: plain bfloat16 layers of the model's own sizes, and nothing between them."""

TARGETS = {"pipeline, batch 32, fp32": 25, "loop, fp32": 6, "loop, bf16": 3, "sorted and padded, bf16": 2, LINEAR: 0.85}
"""How many times as fast as each rival `OURS` should be."""


@dataclass(frozen=True, slots=True)
class Row:
    """One rival's figures.

    Attributes:
        rate: Comments a second, median of the rounds.
        spread: Slowest round over fastest, minus one.
        cpu_rate: Comments for each second of CPU time.
        ratio: How many times as fast `OURS` is.
        padding: Share of the computed tokens that is padding.
        teraflops: Useful TFLOP/s: the operations that the whole model needs for the real tokens, even if part of them
            is skipped; of `LINEAR` those of its layers.
        difference: Largest difference of a score from the loop in float32; None where there are no scores. Of ours it
            includes the second reading of a disguised text, which the others do not have.
    """

    rate: float
    spread: float
    cpu_rate: float
    ratio: float
    padding: float
    teraflops: float
    difference: float | None


def main() -> None:
    """Run the benchmark, print the table, write JSON and plot."""
    program = Program("classify", __doc__, needs_kafka=False)
    add = program.parser.add_argument
    add("--comments", type=int, default=128, help="number of comments, drawn at random (default: 128)")
    add("--rounds", type=int, default=3, help="how often each rival runs (default: 3)")
    add("--model", help="a checkpoint to measure beside the DistilBERT shape (default: the embedded model)")
    add("--only", action="append", help="only rivals whose name contains this; may be repeated")
    add("--rivals", type=Path, default=Path(".venv-rivals"), help="folder of the engines' environments")
    arguments = program.parse()
    logging.basicConfig(level=logging.WARNING)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call] # untyped in the package
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # untyped in the package

    everything = program.texts()
    chooser = random.Random(0)  # noqa: S311 - a sample, not a secret
    sample = chooser.sample(everything, min(arguments.comments + CALIBRATION_TEXTS, len(everything)))
    texts, others = sample[: arguments.comments], sample[arguments.comments :]
    engines = available(arguments.rivals, arguments.only)
    facts = program.machine
    report: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "comments": len(texts),
        "rounds": arguments.rounds,
        "models": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        models = {"DistilBERT-base shape": distilbert_shape(Path(scratch, "distilbert"), everything)}
        second = Path(arguments.model) if arguments.model else embedded_model("sluice-mini")
        if second is None:
            print("there is no embedded model in this checkout: measuring the DistilBERT shape alone", file=sys.stderr)
        else:
            models[second.name] = second
        for name, folder in models.items():
            with running(engines, folder, texts, others or texts) as processes:
                quantized = folder
                if chosen("sluice int8", arguments.only):
                    quantized = with_ranges(folder, Path(scratch, f"{folder.name}-int8"), others or texts)
                measured = measure(folder, quantized, texts, arguments.rounds, arguments.only, processes)
            report["models"][name] = measured
            print_table(name, measured, report["date"], facts)
    size = (SIZE[0], SIZE[1] * len(report["models"]))
    program.save(report, lambda figure: draw(figure, report), size=size)


def measure(
    folder: Path,
    quantized: Path,
    texts: Sequence[str],
    rounds: int,
    only: Sequence[str] | None,
    engines: Mapping[str, EngineProcess],
) -> dict[str, Any]:
    """Time every rival on the checkpoint in `folder`; int8 reads it from `quantized`."""
    lengths = [len(ids) for ids in AutoTokenizer.from_pretrained(folder)(
        list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"]]  # fmt: skip
    fp32, bf16 = Transformers(folder, torch.float32), Transformers(folder, torch.bfloat16)
    ours = {
        name: sluice(quantized if precision == "int8" else folder, precision)
        for name, precision in PRECISIONS.items()
        if chosen(name, only)
    }
    rivals: dict[str, Score] = {
        "pipeline, batch 32, fp32": fp32.pipeline(32),
        "pipeline, batch 32, bf16": bf16.pipeline(32),
        "pipeline, batch 1, fp32": fp32.pipeline(1),
        "pipeline, batch 1, bf16": bf16.pipeline(1),
        "loop, fp32": fp32.loop,
        "loop, bf16": bf16.loop,
        "sorted and padded, bf16": bf16.sorted_padded,
    }
    rivals = {name: score for name, score in rivals.items() if chosen(name, only)}
    in_order = [range(start, min(start + 32, len(texts))) for start in range(0, len(texts), 32)]
    sorted_padding = padding_share(lengths, sorted_batches(lengths))
    padding = {
        "pipeline, batch 32": padding_share(lengths, in_order),
        "sorted and padded": sorted_padding,
        # CTranslate2 takes the padding out before its linear layers.
        **{name: sorted_padding for name in engines if not name.startswith("CTranslate2")},
    }
    scores = {name: torch.tensor(engine.scores) for name, engine in engines.items() if not engine.unsupported}
    expected = fp32.loop(texts)
    for score in rivals.values():
        score(texts[:8])  # fills caches before the clock runs
    for classifier in ours.values():
        classifier.classify(texts)  # compiles kernels for every shape, as the engines did with their first round
    before = {name: classifier.padded_tokens for name, classifier in ours.items()}
    rivals |= {name: score_with(classifier) for name, classifier in ours.items()}
    shape = Shape.of(folder)
    timings = run_rounds(
        {LINEAR: linear_layers(shape, sum(lengths))}
        | {name: engines[name].round for name in scores}
        | {name: _keeping(scores, name, score, texts) for name, score in rivals.items()},
        rounds,
        lambda name, seconds: print(f"{name}: {len(texts) / seconds:.1f}/s", file=sys.stderr),
    )
    for name, classifier in ours.items():
        filler = (classifier.padded_tokens - before[name]) / rounds
        padding[name] = filler / (sum(lengths) + filler)
    flops, linear_flops = shape.flops(lengths), float(shape.linear_flops * sum(lengths))
    best = timings[OURS].rate(len(texts))
    rows = {
        name: Row(
            rate=timing.rate(len(texts)),
            spread=timing.spread,
            cpu_rate=timing.cpu_rate(len(texts)),
            ratio=best / timing.rate(len(texts)),
            padding=next((share for prefix, share in padding.items() if name.startswith(prefix)), 0.0),
            teraflops=(linear_flops if name == LINEAR else flops) * timing.rate(len(texts)) / len(texts) / 1e12,
            difference=float((scores[name] - expected).abs().max()) if name in scores else None,
        )
        for name, timing in timings.items()
    }
    quantiles = statistics.quantiles(lengths, n=20)
    return {
        "tokens": {
            "mean": statistics.mean(lengths),
            "median": statistics.median(lengths),
            "p95": quantiles[-1],
            "longest": max(lengths),
        },
        "versions": {name: version for engine in engines.values() for name, version in engine.versions.items()},
        "unsupported": {name: engine.unsupported for name, engine in engines.items() if engine.unsupported},
        "rivals": {name: asdict(row) for name, row in rows.items()},
    }


def chosen(name: str, only: Sequence[str] | None) -> bool:
    """Whether a row is measured; `OURS` always is, because all others are compared with it."""
    return not only or name == OURS or any(part in name for part in only)


def _keeping(scores: dict[str, torch.Tensor], name: str, score: Score, texts: Sequence[str]) -> Callable[[], None]:
    def once() -> None:
        scores[name] = score(texts)

    return once


def print_table(name: str, measured: dict[str, Any], date: str, facts: dict[str, Any]) -> None:
    """Print the table of one checkpoint, as Markdown, with what it was measured on."""
    tokens = measured["tokens"]
    versions = {package: version for package, version in facts["versions"].items() if version} | measured["versions"]
    print(f"\n{date}; {facts['cpu']}; {', '.join(f'{package} {version}' for package, version in versions.items())}")
    print(
        f"\n{name}; tokens: mean {tokens['mean']:.0f}, median {tokens['median']:.0f}, p95 {tokens['p95']:.0f}, longest "
        f"{tokens['longest']}\n"
    )
    print("| | comments/s | spread | per core-second | sluice is | target | padding | useful TFLOP/s | largest diff |")
    print("|---|---|---|---|---|---|---|---|---|")
    for rival, row in measured["rivals"].items():
        target = f"{TARGETS[rival]}x" if rival in TARGETS else ""
        difference = "" if row["difference"] is None else f"{row['difference']:.4f}"
        print(
            f"| {rival} | {row['rate']:.1f} | {row['spread']:.0%} | {row['cpu_rate']:.1f} | {row['ratio']:.2f}x "
            f"| {target} | {row['padding']:.1%} | {row['teraflops']:.2f} | {difference} |"
        )
    for rival, why in measured["unsupported"].items():
        print(f"| {rival} | not supported: {why} | | | | | | | |")


def draw(figure: Any, report: dict[str, Any]) -> None:
    """Draw bars of comments a second, with a panel for each model."""
    for index, (name, measured) in enumerate(report["models"].items()):
        axes = figure.add_subplot(len(report["models"]), 1, index + 1)
        rates = {rival: row["rate"] for rival, row in measured["rivals"].items()}
        bars(axes, f"{name}: comments a second, {report['comments']} comments", rates, label="%.1f")


if __name__ == "__main__":
    main()
