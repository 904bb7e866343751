"""How the rate grows with the number of workers, and how a joining worker disturbs the others.

python -m benchmarks.scaling --data validation.csv --comments 3000 --rounds 2

One, two and four workers of one group, with one model thread each, run on a real broker (KAFKA_HOME). They first share
the empty input topic. Then comments are produced evenly to its partitions, and events a second are taken between a
tenth and nine tenths of the events, by the broker's time (LogAppendTime). Tokenizing, the stream and the broker need
cores as well, so more workers than cores gain nothing. The pause is explained in `benchmarks.join`.
"""

import statistics
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.join import WINDOWS, Pause, watch_join
from benchmarks.live import LiveWorker, wait_until_shared
from benchmarks.open_loop import comment
from benchmarks.output_log import LOG_APPEND_TIME, OutputLog, rate
from benchmarks.program import Program
from benchmarks.results import OURS
from testkit.kafka import Kafka
from testkit.stream import Topics

WORKERS = (1, 2, 4)
PARTITIONS = 8
_LIMIT_SECONDS = 300.0
_BROKER = {"broker.session.timeout.ms": "60000"}
"""Four workers that load at once leave the broker without a core for seconds; it must not lose its session."""

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """One round with one number of workers: events a second, and milliseconds of their total CPU time an event."""

    rate: float
    cpu_milliseconds: float


def main() -> int:
    """Run the benchmark, print the tables, write JSON and plot."""
    program = Program("scaling", __doc__)
    add = program.parser.add_argument
    add("--comments", type=int, default=3000, help="comments labelled in each run (default: 3000)")
    add("--rounds", type=int, default=2, help="how often each number of workers runs, and joins (default: 2)")
    add("--seconds", type=float, default=10, help="how long a worker runs alone before one joins (default: 10)")
    add("--load", type=float, default=0.5, help="load during the join, as a share of one worker's rate (default: 0.5)")
    add("--join-rate", type=float, help="only watch joins, at this many comments a second")
    add("--group-protocol", choices=("classic", "consumer"), default="classic", help="protocol of the group")
    add("--properties", default="{}", help="further kafka.properties of the workers, as JSON")
    arguments = program.parse()
    if arguments.join_rate is not None and arguments.join_rate <= 0:
        program.parser.error("--join-rate is a number above 0")
    texts = program.texts(shuffled=True)
    settings: dict[str, object] = {
        "model.threads": 1,
        "kafka.group_protocol": arguments.group_protocol,
        "kafka.properties": arguments.properties,
    }
    numbers = WORKERS if arguments.join_rate is None else ()
    load = f"{arguments.load:.0%} of its rate" if arguments.join_rate is None else f"{arguments.join_rate:g}/s"
    runs: dict[int, list[Measured]] = {workers: [] for workers in numbers}
    joins: list[dict[str, Pause]] = []
    with program.kafka(_BROKER) as kafka:
        for number in range(arguments.rounds):
            for workers in numbers if number % 2 == 0 else numbers[::-1]:
                one = measure(kafka, texts, workers, arguments.comments, settings)
                runs[workers].append(one)
                sys.stderr.write(
                    f"{workers} workers: {one.rate:,.0f}/s, {one.cpu_milliseconds:.2f} ms of CPU an event\n"
                )
            rate = arguments.join_rate or arguments.load * statistics.median(run.rate for run in runs[1])
            joins.append(watch_join(kafka, texts, PARTITIONS, rate, arguments.seconds, settings))
            pause = joins[-1]["joining"]
            sys.stderr.write(
                f"a worker joins: waits of {pause.stayed_wait:.2f} s (stays) and {pause.moved_wait:.2f} s (moves)\n"
            )
    if runs:
        print_scaling(runs, program.machine["cores"])
    print_joins(joins, load)
    report = {
        "comments": arguments.comments if runs else None,
        "load": load,
        "group_protocol": arguments.group_protocol,
        "properties": arguments.properties,
        "runs": {str(workers): [asdict(run) for run in of_one] for workers, of_one in runs.items()},
        "joins": [{name: asdict(pause) for name, pause in join.items()} for join in joins],
    }
    program.save(report, lambda figure: draw(figure, runs, joins), name=None if runs else "join")
    return 0


def measure(kafka: Kafka, texts: Sequence[str], workers: int, comments: int, settings: dict[str, object]) -> Measured:
    """Let this many workers label this many comments."""
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
    """Print events a second by number of workers, as Markdown."""
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


def print_joins(joins: Sequence[Mapping[str, Pause]], load: str) -> None:
    """Print the pauses by window, as Markdown."""
    print(f"\na second worker joins one at {load}; milliseconds, median and worst of {len(joins)} rounds\n")
    print("| | alone | while the newcomer loads | while it joins |")
    print("|---|---|---|---|")
    for name, what in (
        ("stayed_gap", "longest gap, partitions that stay"),
        ("stayed_wait", "longest wait of a comment there"),
        ("moved_gap", "longest gap, partitions that move"),
        ("moved_wait", "longest wait of a comment there"),
    ):
        cells = []
        for window in WINDOWS:
            values = [getattr(join[window], name) * _MILLISECONDS for join in joins]
            cells.append(f"{statistics.median(values):.0f} ({max(values):.0f})")
        print(f"| {what} | {' | '.join(cells)} |")


def draw(figure: Any, runs: Mapping[int, Sequence[Measured]], joins: Sequence[Mapping[str, Pause]]) -> None:
    """Draw rates and pauses side by side."""
    rates: dict[str, Any] = {str(k): statistics.median(run.rate for run in of_one) for k, of_one in runs.items()}
    panels = [(rates, "events a second, by workers")] if rates else []
    for kind, title in (("stayed_wait", "partitions that stay"), ("moved_wait", "partitions that move")):
        waits: dict[str, Any] = {
            window: statistics.median(getattr(join[window], kind) for join in joins) * _MILLISECONDS
            for window in WINDOWS
        }
        panels.append((waits, f"longest wait, {title}, ms"))
    for index, (values, title) in enumerate(panels):
        axes = figure.add_subplot(1, len(panels), index + 1)
        bars = axes.bar(list(values), list(values.values()), color=OURS)
        axes.bar_label(bars, fmt="{:,.0f}", padding=3)
        axes.set_title(title)
        axes.margins(y=0.15)


if __name__ == "__main__":
    sys.exit(main())
