"""How long a comment waits for its label, at a tenth, a half and four fifths of the worker's capacity.

python -m benchmarks.latency --data validation.csv --seconds 12 --rounds 3

Each round starts a new worker on a real broker (KAFKA_HOME). The worker first labels comments that are already in the
topic, which gives its capacity. Then comments arrive at random (Poisson) at shares of that capacity, and the sender
never waits. A latency runs from the moment a comment was due to be sent to the moment the broker appended its label
event (LogAppendTime); the first tenth of the arrivals is left out. The forward pass reported beside it was measured by
the worker during that time: the mean seconds of a batch in the model. A first round is not counted: a broker that has
just started spends a fifth of a core on compiling itself.
"""

import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any

from benchmarks.live import LiveWorker, wait_until_shared
from benchmarks.open_loop import Due, comment, poisson, send
from benchmarks.output_log import LOG_APPEND_TIME, OutputLog, rate
from benchmarks.program import Program
from benchmarks.results import BESIDE, LIMIT, OURS, THEIRS
from testkit.kafka import Kafka
from testkit.stream import Topics
from worker.kafka.client.properties import consumer_properties
from worker.settings import Settings

PARTITIONS = 6
LOADS = (0.1, 0.5, 0.8)
TARGET_LOAD, TARGET_PASSES = 0.5, 2.5
"""At this load the 99th percentile should be within this many forward passes plus the broker's fetch wait."""

WARM_UP_SHARE = 0.1
_LIMIT_SECONDS = 240.0
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """One load in one round, in seconds unless stated otherwise.

    Attributes:
        rate: Comments due a second.
        p50: Median latency.
        p95: 95th percentile.
        p99: 99th percentile.
        sender_late_p99: How late the sender itself was, which is part of the latencies.
        forward_pass: Mean time of a batch in the model.
        batch_records: Mean comments in a batch.
    """

    rate: float
    p50: float
    p95: float
    p99: float
    sender_late_p99: float
    forward_pass: float
    batch_records: float


@dataclass(frozen=True, slots=True)
class Round:
    """One worker: its capacity in comments a second, and its figures at each load."""

    capacity: float
    loads: Mapping[float, Measured]


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    program = Program("latency", __doc__)
    add = program.parser.add_argument
    add("--seconds", type=float, default=12, help="how long each load lasts (default: 12)")
    add("--rounds", type=int, default=3, help="workers measured, one after another (default: 3)")
    add("--comments", type=int, default=4096, help="comments from which the capacity is taken (default: 4096)")
    arguments = program.parse()
    texts = program.texts(shuffled=True)
    rounds = []
    with program.kafka() as kafka:
        for number in range(1 + arguments.rounds):
            loads = LOADS if number % 2 == 0 else LOADS[::-1]
            rounds.append(measure(kafka, texts, arguments.comments, arguments.seconds, loads, number))
    del rounds[0]
    print_table(rounds)
    report = {
        "seconds": arguments.seconds,
        "fetch_wait_seconds": fetch_wait_seconds(),
        "rounds": [asdict(each) for each in rounds],
    }
    program.save(report, lambda figure: draw(figure, rounds))
    return 0


def measure(
    kafka: Kafka, texts: Sequence[str], comments: int, seconds: float, loads: Sequence[float], seed: int
) -> Round:
    """Measure one worker's capacity, then its latencies at each load."""
    topics = Topics(kafka, PARTITIONS, **LOG_APPEND_TIME)
    topics.fill(comment(texts, number) for number in range(comments))
    output = OutputLog(kafka, topics, PARTITIONS)
    measured: dict[float, Measured] = {}
    with LiveWorker(kafka, topics) as worker:
        wait_until_shared([worker], PARTITIONS)
        capacity = rate(output.read(comments, [worker], _LIMIT_SECONDS))
        sys.stderr.write(f"capacity: {capacity:,.0f}/s\n")
        first = comments
        for load in loads:
            arrivals = poisson(load * capacity, random.Random(seed))  # noqa: S311 - a load, not a secret
            schedule = [
                Due(after, number, comment(texts, number))
                for number, after in enumerate(takewhile(lambda after: after < seconds, arrivals), first)
            ]
            first += len(schedule)
            measured[load] = measure_load(kafka, topics, output, worker, schedule)
            one = measured[load]
            sys.stderr.write(f"{load:.0%}: p50 {one.p50 * 1000:.0f} ms, p99 {one.p99 * 1000:.0f} ms\n")
    return Round(capacity, dict(sorted(measured.items())))


def measure_load(
    kafka: Kafka, topics: Topics, output: OutputLog, worker: LiveWorker, schedule: Sequence[Due]
) -> Measured:
    """Send a schedule, wait until all of it is labelled, and return its latencies."""
    before = worker.totals()
    sent = send(kafka.bootstrap_servers, topics.input, schedule)
    events = output.read(len(schedule), [worker], _LIMIT_SECONDS)
    after = worker.totals()
    spent = {name: after[name] - before[name] for name in after}
    batches = spent["sluice_inference_duration_seconds_count"]
    warm_up = schedule[int(WARM_UP_SHARE * len(schedule))].number
    cuts = statistics.quantiles(
        [event.at - sent.due[event.number] for event in events if event.number >= warm_up], n=100
    )
    return Measured(
        rate=len(schedule) / schedule[-1].after,
        p50=cuts[49],
        p95=cuts[94],
        p99=cuts[98],
        sender_late_p99=statistics.quantiles(sent.late, n=100)[98],
        forward_pass=spent["sluice_inference_duration_seconds_sum"] / batches,
        batch_records=spent["sluice_batch_size_records_sum"] / batches,
    )


def fetch_wait_seconds() -> float:
    """How long a broker may hold the worker's fetch while nothing arrives, in seconds."""
    return float(consumer_properties(Settings())["fetch.wait.max.ms"]) / _MILLISECONDS


def median(rounds: Sequence[Round], load: float, name: str) -> float:
    """Median over the rounds of one figure at one load."""
    return float(statistics.median(getattr(each.loads[load], name) for each in rounds))


def print_table(rounds: Sequence[Round]) -> None:
    """Print the table, as Markdown."""
    capacities = [each.capacity for each in rounds]
    spread = max(capacities) / min(capacities) - 1
    print(
        f"\ncapacity: {statistics.median(capacities):,.0f} comments/s, spread {spread:.0%}; "
        f"milliseconds from due to appended, medians of {len(rounds)} rounds\n"
    )
    print(
        "| load | comments/s | p50 | p95 | p99 | spread of p99 | forward pass | a batch | sender late, p99 | target |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for load in LOADS:
        p99s = [each.loads[load].p99 for each in rounds]
        forward_pass = median(rounds, load, "forward_pass")
        limit = (TARGET_PASSES * forward_pass + fetch_wait_seconds()) * _MILLISECONDS
        target = f"p99 <= {limit:.0f}" if load == TARGET_LOAD else ""
        p50, p95, p99, late = (
            median(rounds, load, name) * _MILLISECONDS for name in ("p50", "p95", "p99", "sender_late_p99")
        )
        print(
            f"| {load:.0%} | {median(rounds, load, 'rate'):,.0f} | {p50:.0f} | {p95:.0f} | {p99:.0f} "
            f"| {max(p99s) / min(p99s) - 1:.0%} | {forward_pass * _MILLISECONDS:.1f} "
            f"| {median(rounds, load, 'batch_records'):.1f} | {late:.1f} | {target} |"
        )
    print(
        f"\nThe target is {TARGET_PASSES:g} forward passes and the fetch wait of "
        f"{fetch_wait_seconds() * _MILLISECONDS:.0f} ms, which passes only while nothing arrives."
    )


def draw(figure: Any, rounds: Sequence[Round]) -> None:
    """Draw the percentiles by load."""
    axes = figure.add_subplot()
    names = [f"{load:.0%}" for load in LOADS]
    for name, colour in (("p99", OURS), ("p95", BESIDE), ("p50", THEIRS), ("forward_pass", LIMIT)):
        values = [median(rounds, load, name) * _MILLISECONDS for load in LOADS]
        axes.plot(names, values, marker="o", color=colour, label=name.replace("_", " "))
    axes.set_title("from due to labelled, by share of the capacity")
    axes.set_ylabel("milliseconds")
    axes.set_yscale("log")
    axes.legend(frameon=False)


if __name__ == "__main__":
    sys.exit(main())
