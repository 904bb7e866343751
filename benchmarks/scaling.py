"""What more workers bring, and what one that joins costs those that are there.

python -m benchmarks.scaling --data validation.csv --comments 3000 --rounds 2

One, two and four workers of one group, one model thread each, on a real broker (KAFKA_HOME). They share the empty input
topic first; then comments are put there, evenly over its partitions, and events a second are taken between a tenth and
nine tenths of the events, by the broker's time (LogAppendTime). Tokenizing, the stream and the broker need cores as
well, so beyond the machine's cores more workers bring nothing. For the pause see `benchmarks.join`.
"""

import argparse
import os
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.join import WINDOWS, Pause, watch_join
from benchmarks.live import LiveWorker, wait_until_shared
from benchmarks.machine import machine
from benchmarks.open_loop import comment
from benchmarks.output_log import LOG_APPEND_TIME, OutputLog, rate
from benchmarks.results import OURS, save
from benchmarks.texts import read_texts
from testkit.kafka import Kafka, find_kafka_home
from testkit.stream import Topics

WORKERS = (1, 2, 4)
PARTITIONS = 8
_LIMIT_SECONDS = 300.0
_BROKER = {"broker.session.timeout.ms": "60000"}
"""Four workers that load at once leave a broker without a core for seconds; it shall not take itself for dead."""

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one number of workers: events a second, and milliseconds of all their CPU an event."""

    rate: float
    cpu_milliseconds: float


def main() -> int:
    """Run the benchmark, print the tables, write JSON and plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--comments", type=int, default=3000, help="comments labelled in each run (default: 3000)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each number of workers runs (default: 2)")
    parser.add_argument("--seconds", type=float, default=10, help="a worker alone before one joins (default: 10)")
    parser.add_argument("--load", type=float, default=0.5, help="then, of what one worker can do (default: 0.5)")
    parser.add_argument("--group-protocol", choices=("classic", "consumer"), default="classic", help="of the group")
    parser.add_argument("--data", type=Path, help="CSV with a `text` column, or its folder (default: SLUICE_DATA)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the JSON and plot")
    arguments = parser.parse_args()
    home = find_kafka_home(os.environ)
    if isinstance(home, str):
        sys.stderr.write(f"scaling: left out: {home}\n")
        return 0
    texts = read_texts(arguments.data)
    random.Random(0).shuffle(texts)  # noqa: S311 - a sample, not a secret
    settings: dict[str, object] = {"model.threads": 1, "kafka.group_protocol": arguments.group_protocol}
    facts = machine()
    runs: dict[int, list[Measured]] = {workers: [] for workers in WORKERS}
    joins: list[dict[str, Pause]] = []
    with Kafka(home, nodes=1, properties=_BROKER) as kafka:
        for number in range(arguments.rounds):
            for workers in WORKERS if number % 2 == 0 else WORKERS[::-1]:
                one = measure(kafka, texts, workers, arguments.comments, settings)
                runs[workers].append(one)
                sys.stderr.write(
                    f"{workers} workers: {one.rate:,.0f}/s, {one.cpu_milliseconds:.2f} ms of CPU an event\n"
                )
            alone = arguments.load * statistics.median(run.rate for run in runs[1])
            joins.append(watch_join(kafka, texts, PARTITIONS, alone, arguments.seconds, settings))
            sys.stderr.write(f"a worker joins: {joins[-1]['joining'].stayed_gap:.2f} s without an event\n")
    print_scaling(runs, facts["cores"])
    print_joins(joins, arguments.load)
    report = {
        "machine": facts,
        "comments": arguments.comments,
        "load": arguments.load,
        "group_protocol": arguments.group_protocol,
        "runs": {str(workers): [asdict(run) for run in of_one] for workers, of_one in runs.items()},
        "joins": [{name: asdict(pause) for name, pause in join.items()} for join in joins],
    }
    save(arguments.out, "scaling", report, lambda figure: draw(figure, runs, joins))
    return 0


def measure(kafka: Kafka, texts: Sequence[str], workers: int, comments: int, settings: dict[str, object]) -> Measured:
    """So many workers label so many comments."""
    topics = Topics(kafka, PARTITIONS, **LOG_APPEND_TIME)
    with ExitStack() as stack:
        running = [stack.enter_context(LiveWorker(kafka, topics, settings)) for _ in range(workers)]
        wait_until_shared(running, PARTITIONS)
        before = sum(worker.cpu_seconds() for worker in running)
        topics.fill((comment(texts, number) for number in range(comments)), PARTITIONS)
        events = OutputLog(kafka, topics, PARTITIONS).read(comments, running, _LIMIT_SECONDS)
        spent = sum(worker.cpu_seconds() for worker in running) - before
    return Measured(rate(events), spent / comments * _MILLISECONDS)


def print_scaling(runs: Mapping[int, Sequence[Measured]], cores: int) -> None:
    """Events a second by workers, as Markdown."""
    alone = statistics.median(run.rate for run in runs[1])
    print(f"\n{cores} cores; one model thread a worker\n")
    print("| workers | events/s | spread | times one worker | at most | CPU ms an event |")
    print("|---|---|---|---|---|---|")
    for workers, of_one in runs.items():
        rates = [run.rate for run in of_one]
        median, cpu = statistics.median(rates), statistics.median(run.cpu_milliseconds for run in of_one)
        print(
            f"| {workers} | {median:,.0f} | {max(rates) / min(rates) - 1:.0%} | {median / alone:.2f} "
            f"| {min(workers, cores)} | {cpu:.2f} |"
        )


def print_joins(joins: Sequence[Mapping[str, Pause]], load: float) -> None:
    """Pauses by window, as Markdown."""
    print(
        f"\na second worker joins one at {load:.0%} of its rate; "
        f"milliseconds, median and worst of {len(joins)} rounds\n"
    )
    print("| | alone | while the newcomer loads | while it joins |")
    print("|---|---|---|---|")
    for name, what in (
        ("stayed_gap", "longest gap, partitions that stay"),
        ("stayed_wait", "longest wait of a comment there"),
        ("moved_gap", "longest gap, partitions that move"),
    ):
        cells = []
        for window in WINDOWS:
            values = [getattr(join[window], name) * _MILLISECONDS for join in joins]
            cells.append(f"{statistics.median(values):.0f} ({max(values):.0f})")
        print(f"| {what} | {' | '.join(cells)} |")


def draw(figure: Any, runs: Mapping[int, Sequence[Measured]], joins: Sequence[Mapping[str, Pause]]) -> None:
    """Rates and pauses side by side."""
    rates: dict[str, Any] = {str(k): statistics.median(run.rate for run in of_one) for k, of_one in runs.items()}
    gaps: dict[str, Any] = {
        window: statistics.median(join[window].stayed_gap for join in joins) * _MILLISECONDS for window in WINDOWS
    }
    panels = ((rates, "events a second, by workers"), (gaps, "longest gap of partitions that stay, ms"))
    for index, (values, title) in enumerate(panels):
        axes = figure.add_subplot(1, 2, index + 1)
        bars = axes.bar(list(values), list(values.values()), color=OURS)
        axes.bar_label(bars, fmt="{:,.0f}", padding=3)
        axes.set_title(title)
        axes.margins(y=0.15)


if __name__ == "__main__":
    sys.exit(main())
