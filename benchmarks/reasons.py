"""How well the words that events name agree with those that people mark, and what finding them costs.

python -m benchmarks.reasons --data data/ --comments 1000 --rounds 3

The folder holds spans.csv (`text`, and `spans` as a JSON list of [begin, end) in code points) and validation.csv
(comments at their natural rate, for the cost). Agreement is measured on the tenth of spans.csv that is kept apart; with
--tuning on the rest, which the token head has learned from in part. No text is printed.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.program import Program
from benchmarks.results import OURS, THEIRS
from benchmarks.rounds import run_rounds
from benchmarks.texts import read_texts
from training.marked_spans import MarkedText, Place, character_f1, read_marked
from worker.classifier import Classifier
from worker.reasons.words import words_of
from worker.types import Classification

TARGETS = {"character F1": 0.55, "rate": 0.95}
PUBLISHED = {"random": 0.17, "best of the shared task": 0.7083}
"""Character F1 on the shared task's own test split, https://aclanthology.org/2021.semeval-1.6."""


def main() -> None:
    """Run the benchmark, print the tables, write JSON and plot."""
    program = Program("reasons", __doc__, needs_kafka=False)
    add = program.parser.add_argument
    add("--comments", type=int, default=1000, help="natural comments timed (default: 1000)")
    add("--rounds", type=int, default=3, help="rounds of the timing (default: 3)")
    add("--leave-out", type=int, default=100, help="marked comments that leaving out is tried on (default: 100)")
    add("--tuning", type=int, default=0, metavar="N", help="measure on N of the comments to choose by instead")
    add("--model", default="sluice-mini", help="checkpoint (default: sluice-mini)")
    arguments = program.parse()
    folder = arguments.data or Path(os.environ.get("SLUICE_DATA", ""))
    if not (folder / "spans.csv").is_file():
        sys.stderr.write("reasons: skipped: --data or SLUICE_DATA names no folder with spans.csv\n")
        return
    marked = read_marked(folder / "spans.csv", kept=not arguments.tuning)[: arguments.tuning or None]
    natural = read_texts(folder)
    random.Random(0).shuffle(natural)  # noqa: S311 - a sample, not a secret
    models = {
        name: Classifier.load(arguments.model, reasons=reasons)
        for name, reasons in (("off", "off"), ("auto", "auto"), ("leave-out", "leave-out"))
    }
    report: dict[str, Any] = {
        "auto": agreement(models["auto"], models["off"], marked),
        "leave-out": agreement(models["leave-out"], models["off"], marked[: arguments.leave_out]),
        "cost": cost(models, natural[: arguments.comments], arguments.rounds),
    }
    print_report(report)
    program.save(report, lambda figure: draw(figure, report))


def agreement(model: Classifier, plain: Classifier, marked: Sequence[MarkedText]) -> dict[str, Any]:
    """How the words that the model names agree with those that people marked."""
    found = model.classify([one.text for one in marked])
    scores = [character_f1(places(one), given.spans) for one, given in zip(found, marked, strict=True)]
    flagged = [index for index, one in enumerate(found) if one.flagged]
    return {
        "method": next((one.reasons.method for one in found if one.reasons), None),
        "comments": len(marked),
        "flagged": len(flagged),
        "character_f1": statistics.mean(scores),
        "character_f1_of_flagged": statistics.mean(scores[index] for index in flagged),
        "deciding": deciding(plain, [marked[index].text for index in flagged], [found[index] for index in flagged]),
    }


def places(found: Classification) -> list[Place]:
    """Everything that is named for any label."""
    labels = found.reasons.labels.values() if found.reasons else ()
    return [(reason.span.begin, reason.span.end) for of_label in labels for reason in of_label.spans]


def deciding(plain: Classifier, texts: Sequence[str], found: Sequence[Classification]) -> dict[str, float]:
    """The share of labels that a text loses without the words named for them, and without as many others.

    Each label of a text is tried by itself, since each has words of its own.
    """
    chooser = random.Random(0)  # noqa: S311 - a sample, not a secret
    tried: list[tuple[str, str, str]] = []
    for text, one in zip(texts, found, strict=True):
        for label, of_label in one.reasons.labels.items() if one.reasons else ():
            named = [(reason.span.begin, reason.span.end) for reason in of_label.spans]
            inside = {word for word in words_of(text) if any(b < word[1] and word[0] < e for b, e in named)}
            others = [word for word in words_of(text) if word not in inside]
            if inside and len(others) >= len(inside):
                drawn = chooser.sample(others, len(inside))
                tried.append((label, without(text, named), without(text, drawn)))
    lost = [
        [label not in one.labels for (label, *_), one in zip(tried, plain.classify(column), strict=True)]
        for column in ([one[1] for one in tried], [one[2] for one in tried])
    ]
    return {"labels": len(tried), "lost": statistics.mean(lost[0]), "lost_without_others": statistics.mean(lost[1])}


def without(text: str, cut: Sequence[Place]) -> str:
    """The text without these places."""
    for begin, end in sorted(cut, reverse=True):
        text = text[:begin] + text[end:]
    return text


def cost(models: dict[str, Classifier], texts: Sequence[str], rounds: int) -> dict[str, Any]:
    """What reasons cost on natural comments, in time and in CPU time of the process."""
    models["off"].classify(texts[:64])  # once each before the clock runs
    explained = _Timed(models["auto"])
    flagged = sum(one.flagged for one in models["auto"].classify(texts))
    explaining = explained.cpu_seconds
    rivals = {name: partial(models[name].classify, texts) for name in ("off", "auto")}
    timings = run_rounds(rivals, rounds, lambda name, seconds: print(f"{name}: {seconds:.1f} s", flush=True))
    cpu = {name: statistics.median(timing.cpu) for name, timing in timings.items()}
    return {
        "comments": len(texts),
        "flagged": flagged,
        "comments_a_cpu_second": {name: timing.cpu_rate(len(texts)) for name, timing in timings.items()},
        "comments_a_second": {name: timing.rate(len(texts)) for name, timing in timings.items()},
        "rate": cpu["off"] / cpu["auto"],
        "milliseconds_a_flagged_comment": 1000 * explaining / max(flagged, 1),
        "share_of_the_time": explaining / cpu["auto"],
    }


class _Timed:
    """CPU seconds that a model spends on explaining, from now on: too few to show in the difference of two rates."""

    def __init__(self, model: Classifier) -> None:
        self.cpu_seconds = 0.0
        inner: Any = model._explainer  # noqa: SLF001 - to time it where it is used
        model._explainer = self  # type: ignore[assignment] # noqa: SLF001 - likewise
        self._explain = inner.explain

    def explain(self, *given: Any) -> Any:
        started = time.process_time()
        found = self._explain(*given)
        self.cpu_seconds += time.process_time() - started
        return found


def print_report(report: dict[str, Any]) -> None:
    """The tables."""
    print(
        f"\n{'method':<16}{'comments':>9}{'flagged':>9}{'F1':>8}{'F1 of flagged':>15}{'lost':>8}{'lost by chance':>16}"
    )
    for name in ("auto", "leave-out"):
        row = report[name]
        lost, chance = row["deciding"]["lost"], row["deciding"]["lost_without_others"]
        print(
            f"{row['method'] or '-':<16}{row['comments']:>9}{row['flagged']:>9}{row['character_f1']:>8.3f}"
            f"{row['character_f1_of_flagged']:>15.3f}{lost:>8.1%}{chance:>16.1%}"
        )
    spent = report["cost"]
    print(
        f"\n{spent['comments']} natural comments, {spent['flagged']} flagged: {spent['rate']:.1%} of the rate without"
    )
    print(
        f"{spent['milliseconds_a_flagged_comment']:.2f} ms of CPU time for the reasons of a flagged comment, "
        f"{spent['share_of_the_time']:.2%} of the time"
    )
    met = {
        "character F1": report["auto"]["character_f1"] >= TARGETS["character F1"],
        "rate": spent["rate"] >= TARGETS["rate"],
    }
    print(", ".join(f"{name} at least {TARGETS[name]}: {'yes' if is_met else 'NO'}" for name, is_met in met.items()))


def draw(figure: Any, report: dict[str, Any]) -> None:
    """Bars of agreement beside what is published."""
    axes = figure.subplots()
    bars = {
        "random": PUBLISHED["random"],
        "sluice, leave-out": report["leave-out"]["character_f1"],
        "sluice, token head": report["auto"]["character_f1"],
        "best of the shared task": PUBLISHED["best of the shared task"],
    }
    colours = [OURS if "sluice" in name else THEIRS for name in bars]
    axes.bar_label(axes.barh(list(bars), list(bars.values()), color=colours), fmt="%.2f", padding=3)
    axes.set_title("character F1 with what people mark")
    axes.margins(x=0.1)


if __name__ == "__main__":
    main()
