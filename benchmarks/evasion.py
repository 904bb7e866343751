"""How many toxic comments are caught when their foul words are disguised, with and without the canonical view.

python -m benchmarks.evasion --data data/ --comments 400

The folder holds train.csv, validation.csv and test.csv with a `text` and 0/1 columns of labels. Foul words are found in
train.csv when the program runs: those that stand in toxic rows far more often than in clean ones. No text is printed.
"""

import csv
import math
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.attacks import BESIDE, IRREVERSIBLE, WAYS, Way, disguise
from benchmarks.program import Program
from benchmarks.results import LIMIT, OURS, THEIRS
from benchmarks.rounds import run_rounds
from worker.classifier import Classifier

csv.field_size_limit(2**31 - 1)

LEAST_ROWS = 15
"""Toxic rows a foul word stands in at least."""

TIMES_AS_OFTEN = 8
"""How many times as often, by share of rows, a foul word stands in toxic rows as in clean ones."""

WORD = re.compile(r"[A-Za-z]{3,}")
TARGETS = {"recall lost": 0.03, "worst way": 0.10, "clean flagged more": 0.003, "rate": 0.97}


def main() -> None:
    """Run the benchmark, print the tables, write JSON and plot."""
    program = Program("evasion", __doc__, needs_kafka=False)
    program.parser.add_argument("--comments", type=int, default=400, help="toxic comments to disguise (default: 400)")
    program.parser.add_argument("--clean", type=int, default=10_000, help="clean comments at most (default: 10000)")
    program.parser.add_argument("--rounds", type=int, default=5, help="rounds of the timing (default: 5)")
    program.parser.add_argument("--timed", type=int, default=1000, help="comments timed a round (default: 1000)")
    program.parser.add_argument("--model", default="sluice-mini", help="checkpoint (default: sluice-mini)")
    arguments = program.parse()
    folder = arguments.data or Path(os.environ.get("SLUICE_DATA", ""))
    if not all((folder / f"{name}.csv").is_file() for name in ("train", "validation", "test")):
        sys.stderr.write(
            "evasion: skipped: --data or SLUICE_DATA names no folder with train, validation and test.csv\n"
        )
        return
    both = Classifier.load(arguments.model)
    raw = Classifier.load(arguments.model, canonical_view=False)

    train, validation, test = (rows(folder / f"{name}.csv") for name in ("train", "validation", "test"))
    foul = foul_words(train)
    toxic = [text for text, labels in test if labels.get("toxic")]
    targets = [(text, spans) for text in toxic if (spans := places(text, foul))]
    random.Random(0).shuffle(targets)  # noqa: S311 - a sample, not a secret
    targets = targets[: arguments.comments]
    report: dict[str, Any] = {
        "comments": len(targets),
        "foul_words": len(foul),
        "toxic_with_a_foul_word": sum(bool(places(text, foul)) for text in toxic) / len(toxic),
        "plain": {name: caught(model, [text for text, _ in targets]) for name, model in (("raw", raw), ("view", both))},
        "ways": {name: measure(raw, both, targets, name, way) for name, way in WAYS.items()},
        "beside": {name: measure(raw, both, targets, name, way) for name, way in BESIDE.items()},
    }
    report["clean"] = {
        name: false_flags(raw, both, [text for text, labels in part if not any(labels.values())][: arguments.clean])
        for name, part in (("test.csv", test), ("validation.csv", validation))
    }
    natural = [text for text, _ in validation]
    report["cost"] = cost(raw, both, natural, arguments.timed, arguments.rounds)
    print_tables(report, program.machine)
    program.save(report, lambda figure: draw(figure, report))


def rows(path: Path) -> list[tuple[str, dict[str, bool]]]:
    """The texts of a file with their labels."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (row["text"], {name: value == "1" for name, value in row.items() if name != "text"})
            for row in csv.DictReader(file)
        ]


def foul_words(train: Sequence[tuple[str, dict[str, bool]]]) -> frozenset[str]:
    """Words of toxic rows, by how much more often they stand there than in clean ones."""
    seen: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    size: Counter[bool] = Counter()
    for text, labels in train:
        toxic = any(labels.values())
        seen[toxic].update({word.lower() for word in WORD.findall(text)})
        size[toxic] += 1

    def times(word: str) -> float:
        return ((seen[True][word] + 1) / size[True]) / ((seen[False][word] + 1) / size[False])

    return frozenset(
        word for word, count in seen[True].items() if count >= LEAST_ROWS and times(word) >= TIMES_AS_OFTEN
    )


def places(text: str, foul: frozenset[str]) -> list[tuple[int, int]]:
    """Where foul words stand in the text."""
    return [match.span() for match in WORD.finditer(text) if match[0].lower() in foul]


def caught(model: Classifier, texts: Sequence[str]) -> float:
    """Share of the texts that are flagged."""
    return sum(found.flagged for found in model.classify(texts)) / len(texts)


def measure(
    raw: Classifier, both: Classifier, targets: Sequence[tuple[str, list[tuple[int, int]]]], name: str, way: Way
) -> dict[str, float]:
    """Recall of the disguised comments without and with the view, and the share that has a second reading."""
    noise = random.Random(1)  # noqa: S311 - the same disguises each time
    attacked = [disguise(text, spans, way, noise) for text, spans in targets]
    found = both.classify(attacked)
    row = {
        "attacked": caught(raw, attacked),
        "defended": sum(one.flagged for one in found) / len(found),
        "second_reading": sum(one.view is not None for one in found) / len(found),
    }
    print(f"{name}: {row['attacked']:.1%} caught, {row['defended']:.1%} with the view", file=sys.stderr, flush=True)
    return row


def false_flags(raw: Classifier, both: Classifier, texts: Sequence[str]) -> dict[str, float]:
    """Share of clean texts flagged without and with the view."""
    before, after = raw.classify(texts), both.classify(texts)
    return {
        "texts": len(texts),
        "raw": sum(one.flagged for one in before) / len(texts),
        "view": sum(one.flagged for one in after) / len(texts),
        "second_reading": sum(one.view is not None for one in after) / len(texts),
    }


def cost(raw: Classifier, both: Classifier, texts: Sequence[str], timed: int, rounds: int) -> dict[str, Any]:
    """Comments a second with the view on and off in alternating rounds, and how many comments have a second reading."""
    sample = random.Random(2).sample(list(texts), min(timed, len(texts)))  # noqa: S311 - a sample, not a secret
    for model in (raw, both):
        model.classify(sample[:64])
    timings = run_rounds(
        {"off": lambda: raw.classify(sample), "on": lambda: both.classify(sample)},
        rounds,
        lambda name, seconds: print(f"view {name}: {len(sample) / seconds:.1f}/s", file=sys.stderr),
    )
    ratios = sorted(off / on for off, on in zip(timings["off"].wall, timings["on"].wall, strict=True))
    processor = sorted(off / on for off, on in zip(timings["off"].cpu, timings["on"].cpu, strict=True))
    views = [encoded.view for start in range(0, len(texts), 512) for encoded in both.encode(texts[start : start + 512])]
    return {
        "comments": len(sample),
        "rate": {name: timing.rate(len(sample)) for name, timing in timings.items()},
        "spread": {name: timing.spread for name, timing in timings.items()},
        "on_over_off": {"median": ratios[len(ratios) // 2], "lowest": ratios[0], "highest": ratios[-1]},
        "on_over_off_cpu": processor[len(processor) // 2],
        "second_reading": sum(view is not None for view in views) / len(views),
        "transforms": dict(Counter(name for view in views if view for name in view.transforms).most_common()),
    }


def average(ways: dict[str, dict[str, float]], column: str, without: Sequence[str] = ()) -> float:
    """Mean over the ways."""
    chosen = [row[column] for name, row in ways.items() if name not in without]
    return math.fsum(chosen) / len(chosen)


def print_tables(report: dict[str, Any], facts: dict[str, Any]) -> None:
    """The tables, as Markdown."""
    plain, ways = report["plain"]["raw"], report["ways"]
    print(
        f"{facts['cpu']}; {report['comments']} toxic comments of test.csv with a foul word; "
        f"caught as they are: {plain:.1%}"
    )
    print("\n| way | attacked | defended | second reading |\n|---|---|---|---|")
    for name, row in [*ways.items(), *report["beside"].items()]:
        print(f"| {name} | {row['attacked']:.1%} | {row['defended']:.1%} | {row['second_reading']:.1%} |")
        if name == list(ways)[-1]:
            for title, without in (("average of twelve", ()), ("average of ten", IRREVERSIBLE)):
                columns = " | ".join(f"{average(ways, column, without):.1%}" for column in ("attacked", "defended"))
                print(f"| **{title}** | {columns} | |")
    print("\n| clean comments flagged | as written | with the view | second reading |\n|---|---|---|---|")
    for name, row in report["clean"].items():
        print(f"| {name} ({row['texts']}) | {row['raw']:.2%} | {row['view']:.2%} | {row['second_reading']:.2%} |")
    spent = report["cost"]
    ratio = spent["on_over_off"]
    print(
        f"\nview on over off: {ratio['median']:.1%} ({ratio['lowest']:.1%} to {ratio['highest']:.1%}), "
        f"CPU {spent['on_over_off_cpu']:.1%}; off {spent['rate']['off']:.1f}/s; "
        f"second reading: {spent['second_reading']:.2%} of natural comments"
    )


def draw(figure: Any, report: dict[str, Any]) -> None:
    """Recall by way, attacked and defended, beside that of the plain comments."""
    axes = figure.add_subplot(1, 1, 1)
    names = list(report["ways"])
    for shift, column, colour in ((0.2, "attacked", THEIRS), (-0.2, "defended", OURS)):
        axes.barh(
            [index + shift for index in range(len(names))],
            [report["ways"][name][column] for name in names],
            height=0.4,
            color=colour,
            label=column,
        )
    axes.axvline(report["plain"]["raw"], color=LIMIT, label="plain")
    axes.set_yticks(range(len(names)), names)
    axes.set_title("Toxic comments caught, their foul words disguised")
    axes.legend(loc="lower left")


if __name__ == "__main__":
    main()
