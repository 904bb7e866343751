"""What the shadow takes of a worker's throughput: a full topic with no candidate, and with one beside the model.

python -m benchmarks.shadow --data validation.csv --comments 4000 --rounds 3

In alternating rounds a worker with the embedded model works off a topic: alone; with a candidate that computes in idle
time, of which a backlog leaves none; and with one that may take `--share` of a core from it. The candidate is the
same checkpoint with another threshold set, so it costs what a candidate of the same size does. It is loaded before the
comments are sent. A rate is a slope over the broker's append times of the label events (`benchmarks.steady_rate`).
After the backlog the worker is idle, and the candidate catches up with what still waits.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.live import START_SECONDS, LiveWorker
from benchmarks.output_log import LOG_APPEND_TIME, steady_rate
from benchmarks.program import Program
from benchmarks.results import BESIDE, OURS, THEIRS
from testkit.kafka import Kafka
from testkit.stream import Topics

ALONE, IDLE, SHARE = "no shadow", "idle time", "a share"
COLOURS = {ALONE: THEIRS, IDLE: OURS, SHARE: BESIDE}
PARTITIONS = 6
_LOOK_SECONDS = 0.5
_NOTHING_NEW_SECONDS = 180.0
_SHARED_SETTINGS = ("SLUICE_MODEL__", "SLUICE_BATCH__")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        rate: Comments labelled a second.
        sampled: Comments chosen to be compared.
        compared_at_work: Of those the ones compared when the last event was out.
        compared: Those compared once the candidate had caught up.
        candidate_cpu_seconds: What they took.
        candidate_mib: Memory of the candidate's process.
    """

    rate: float
    sampled: int
    compared_at_work: int
    compared: int
    candidate_cpu_seconds: float
    candidate_mib: float


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    program = Program("shadow", __doc__)
    add = program.parser.add_argument
    add("--comments", type=int, default=4000, help="comments in each run (default: 4000)")
    add("--rounds", type=int, default=3, help="how often each of the three runs (default: 3)")
    add("--sample", type=float, default=0.05, help="share of the comments compared (default: 0.05)")
    add("--share", type=float, default=0.2, help="share of a core in the third run (default: 0.2)")
    arguments = program.parse()
    texts = list(islice(cycle(program.texts()), arguments.comments))
    runs: dict[str, list[Measured]] = {ALONE: [], IDLE: [], SHARE: []}
    with tempfile.TemporaryDirectory() as folder, program.kafka() as kafka:
        thresholds = Path(folder) / "set.json"
        thresholds.write_text(json.dumps({"format": 2, "set": "benchmark@1", "labels": {}}), encoding="utf-8")
        shadow = {
            "shadow.model.id": "sluice-mini",
            "shadow.model.thresholds": thresholds,
            "shadow.sample": arguments.sample,
        }
        settings: dict[str, Mapping[str, object]] = {
            ALONE: {},
            IDLE: shadow,
            SHARE: {**shadow, "shadow.busy_share": arguments.share},
        }
        for number in range(arguments.rounds):
            for name in list(settings) if number % 2 == 0 else list(settings)[::-1]:
                measured = run(kafka, texts, settings[name])
                runs[name].append(measured)
                sys.stderr.write(f"{name}: {measured}\n")
    report = {
        "comments": arguments.comments,
        "sample": arguments.sample,
        "share": arguments.share,
        "runs": {name: [asdict(one) for one in of_one] for name, of_one in runs.items()},
    }
    print_table(runs, program.machine)
    program.save(report, lambda figure: draw(figure, runs))
    return 0


def run(kafka: Kafka, texts: Sequence[str], settings: Mapping[str, object]) -> Measured:
    """One worker, from a loaded candidate to an idle one."""
    topics = Topics(kafka, PARTITIONS, **LOG_APPEND_TIME)
    with LiveWorker(kafka, topics, {"log.level": "warning", **settings}, keep=_SHARED_SETTINGS) as worker:
        ready = "sluice_shadow_up" if settings else "sluice_assigned_partitions"
        _wait(worker, lambda totals: totals[ready] > 0, START_SECONDS)
        _wait(worker, lambda totals: totals["sluice_assigned_partitions"] == PARTITIONS, START_SECONDS)
        topics.fill(json.dumps({"id": f"c-{number}", "text": text}).encode() for number, text in enumerate(texts))
        at_work = _wait(worker, lambda totals: totals["sluice_records_processed_total"] >= len(texts))
        after = _wait(worker, lambda totals: totals["sluice_shadow_sampled_total"] <= _done(totals))
    return Measured(
        steady_rate(topics, len(texts)),
        round(after["sluice_shadow_sampled_total"]),
        round(at_work["sluice_shadow_compared_total"]),
        round(after["sluice_shadow_compared_total"]),
        after["sluice_shadow_cpu_seconds_total"],
        after["sluice_shadow_memory_bytes"] / 2**20,
    )


def _done(totals: Mapping[str, float]) -> float:
    return totals["sluice_shadow_compared_total"] + totals["sluice_shadow_missed_total"]


def _wait(worker: LiveWorker, until: Any, limit_seconds: float = _NOTHING_NEW_SECONDS) -> dict[str, float]:
    """The worker's totals once they are so; ends the benchmark if nothing moves for too long."""
    moved_at, before = time.monotonic(), -1.0
    while True:
        worker.check()
        totals = worker.totals()
        if totals and until(totals):
            return totals
        progress = totals["sluice_records_processed_total"] + _done(totals)
        if progress != before:
            moved_at, before = time.monotonic(), progress
        elif time.monotonic() - moved_at > limit_seconds:
            sys.exit(f"shadow: nothing has moved for {limit_seconds:g} s:\n{worker.log[-2000:]}")
        time.sleep(_LOOK_SECONDS)


def kept(runs: Mapping[str, Sequence[Measured]], name: str) -> list[float]:
    """For each round the share of the rate without a shadow that is left."""
    return [one.rate / alone.rate for alone, one in zip(runs[ALONE], runs[name], strict=True)]


def print_table(runs: Mapping[str, Sequence[Measured]], facts: Mapping[str, Any]) -> None:
    """Print the table, as Markdown."""
    print(f"\n{facts['cpu']}, {facts['cores']} cores, load before {facts['load_before']}\n")
    print("| | comments/s | of those without | sampled | compared at work | in the end | CPU ms each | MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for name, of_one in runs.items():
        median = {field: statistics.median(asdict(one)[field] for one in of_one) for field in asdict(of_one[0])}
        left = kept(runs, name)
        each = 1000 * median["candidate_cpu_seconds"] / median["compared"] if median["compared"] else 0.0
        print(
            f"| {name} | {median['rate']:,.1f} | {statistics.median(left):.1%} ({min(left):.1%} to {max(left):.1%}) "
            f"| {median['sampled']:,.0f} | {median['compared_at_work']:,.0f} | {median['compared']:,.0f} "
            f"| {each:.1f} | {median['candidate_mib']:,.0f} |"
        )


def draw(figure: Any, runs: Mapping[str, Sequence[Measured]]) -> None:
    """Draw the rates of every round, and what was compared."""
    rates, compared = figure.subplots(1, 2)
    for name, of_one in runs.items():
        rates.plot(range(1, len(of_one) + 1), [one.rate for one in of_one], "o-", color=COLOURS[name], label=name)
        if name != ALONE:
            sampled = sum(one.sampled for one in of_one)
            shares = [
                sum(one.compared_at_work for one in of_one) / sampled,
                sum(one.compared for one in of_one) / sampled,
            ]
            compared.plot(["at work", "in the end"], shares, "o-", color=COLOURS[name], label=name)
    rates.set_title("comments a second")
    rates.set_xlabel("round")
    rates.set_ylim(bottom=0)
    compared.set_title("share of the sample compared")
    compared.set_ylim(0, 1.05)
    for axes in (rates, compared):
        axes.legend()


if __name__ == "__main__":
    sys.exit(main())
