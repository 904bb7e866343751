"""The cost of the stream itself: the worker without a model against a bare loop and three stream libraries.

python -m benchmarks.overhead --data validation.csv --records 300000 --rounds 3

Every contender does the job of `benchmarks.jobs` in its own process, one after another, in alternating rounds, with a
new group and output topic, from one input topic on a real broker (KAFKA_HOME). A rate is taken between the moments when
a tenth and nine tenths of the events are in the output topic; CPU is the time that all threads of the contender's
process use in between. The libraries' pinned dependencies exclude each other, so each runs in its own environment
(`make bench-rivals`); a contender whose environment is missing is skipped with a message.
"""

import json
import os
import statistics
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer

from benchmarks.output_log import event_count
from benchmarks.processes import cpu_seconds
from benchmarks.program import Program
from benchmarks.results import bars
from testkit.child_process import Child
from testkit.kafka import Kafka
from testkit.stream import produce_waiting

OURS = "sluice"
CONTENDERS = {
    "bare loop": ("bare", None),
    OURS: ("sluice", None),
    "Quix Streams": ("with_quix", "quix"),
    "Quix Streams, equal event": ("with_quix_full_event", "quix"),
    "arroyo": ("with_arroyo", "arroyo"),
    "FastStream, batches": ("with_faststream_batches", "faststream"),
    "FastStream": ("with_faststream", "faststream"),
}
"""Program of each contender, and the environment it needs; None: this one."""

TARGETS = {
    "bare loop": 0.6,
    "Quix Streams": 1.0,
    "Quix Streams, equal event": 1.0,
    "arroyo": 4.0,
    "FastStream, batches": 4.0,
}
"""How many times as fast as each contender `OURS` should be."""

PARTITIONS = 6
FROM, TO = 0.1, 0.9
_LOOK_SECONDS = 0.1
_START_SECONDS = 60.0
_FLUSH_SECONDS = 30.0
_LOG_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one contender: events a second, and microseconds of its CPU time an event."""

    rate: float
    cpu_microseconds: float


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    program = Program("overhead", __doc__)
    add = program.parser.add_argument
    add("--records", type=int, default=60_000, help="records in the input topic (default: 60000)")
    add("--rounds", type=int, default=3, help="how often each contender runs (default: 3)")
    add("--longest", type=float, default=60, help="longest run of a slow contender in seconds (default: 60)")
    add("--only", action="append", help="only contenders whose name contains this; may be repeated")
    add("--rivals", type=Path, default=Path(".venv-rivals"), help="folder of their environments")
    arguments = program.parse()
    programs = available(arguments.rivals, arguments.only)
    runs: dict[str, list[Measured]] = {name: [] for name in programs}
    with program.kafka() as kafka:
        source = kafka.create_topic("comments", PARTITIONS)
        fill(kafka.bootstrap_servers, source, program.texts(), arguments.records)
        for number in range(arguments.rounds):
            for name in list(programs) if number % 2 == 0 else list(programs)[::-1]:
                measured = measure(kafka, programs[name], source, arguments.records, arguments.longest)
                runs[name].append(measured)
                sys.stderr.write(f"{name}: {measured.rate:,.0f}/s, {measured.cpu_microseconds:.1f} us an event\n")
    report = {
        "records": arguments.records,
        "rounds": arguments.rounds,
        "runs": {name: [asdict(run) for run in of_one] for name, of_one in runs.items()},
    }
    print_table(runs)
    program.save(report, lambda figure: draw(figure, runs))
    return 0


def available(rivals: Path, only: Sequence[str] | None) -> dict[str, list[str]]:
    """The command of each chosen contender that can run here."""
    programs = {}
    for name, (module, environment) in CONTENDERS.items():
        if only and name != OURS and not any(part in name for part in only):
            continue
        python = Path(sys.executable) if environment is None else rivals.absolute() / environment / "bin/python"
        if python.exists():
            programs[name] = [str(python), "-m", f"benchmarks.jobs.{module}"]
        else:
            sys.stderr.write(f"overhead: {name} is skipped: there is no {python}. Run `make bench-rivals`.\n")
    return programs


def fill(servers: str, topic: str, texts: Sequence[str], records: int) -> None:
    """Produce this many comments to the topic."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "compression.type": "lz4"})
    for number, text in enumerate(islice(cycle(texts), records)):
        value = json.dumps({"id": f"c-{number}", "text": text}).encode()
        produce_waiting(producer, topic, value, key=b"%d" % number)
    if producer.flush(_FLUSH_SECONDS):
        sys.exit("overhead: the broker did not acknowledge the comments")


def measure(kafka: Kafka, program: Sequence[str], source: str, records: int, longest_seconds: float) -> Measured:
    """Run one contender until nine tenths of the events are out, or until the time is over."""
    target = kafka.create_topic(f"events-{uuid.uuid4().hex[:10]}", PARTITIONS)
    kafka.create_topic(f"{target}.dlq", PARTITIONS)
    command = [*program, kafka.bootstrap_servers, source, target, f"group-{target}"]
    watcher = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "watcher"})
    try:
        with Child(command, os.environ) as contender:
            begun = _when(watcher, target, contender, FROM * records, _START_SECONDS)
            ended = _when(watcher, target, contender, TO * records, longest_seconds)
    finally:
        watcher.close()
    events = ended.events - begun.events
    if events <= 0:
        sys.exit(f"overhead: {' '.join(program)} wrote nothing")
    return Measured(events / (ended.at - begun.at), (ended.cpu_seconds - begun.cpu_seconds) / events * 1e6)


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    events: int
    cpu_seconds: float


def _when(watcher: Consumer, topic: str, contender: Child, events: float, limit_seconds: float) -> _Moment:
    """The moment when this many events are in the topic, or the last moment within the limit if there were any."""
    process = contender.process
    deadline = time.monotonic() + limit_seconds
    while True:
        if process.poll() is not None:
            sys.exit(
                f"overhead: {process.args!r} ended on its own with exit code {process.returncode}:\n"
                f"{contender.log[-_LOG_TAIL:]}"
            )
        moment = _Moment(time.monotonic(), event_count(watcher, topic, PARTITIONS), cpu_seconds(process.pid))
        if moment.events >= events or (moment.events and moment.at > deadline):
            return moment
        if moment.at > deadline + _START_SECONDS:
            sys.exit(f"overhead: {process.args!r} wrote nothing for {limit_seconds + _START_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)


def print_table(runs: Mapping[str, Sequence[Measured]]) -> None:
    """Print the table, as Markdown."""
    rates = {name: [run.rate for run in of_one] for name, of_one in runs.items()}
    ours = statistics.median(rates[OURS])
    print("\n| | events/s | spread | CPU us an event | sluice is | target |")
    print("|---|---|---|---|---|---|")
    for name, of_one in rates.items():
        median = statistics.median(of_one)
        target = f"{TARGETS[name]:g}x" if name in TARGETS else ""
        cpu = statistics.median(run.cpu_microseconds for run in runs[name])
        spread = max(of_one) / min(of_one) - 1
        print(f"| {name} | {median:,.0f} | {spread:.0%} | {cpu:.1f} | {ours / median:.2f}x | {target} |")


def draw(figure: Any, runs: Mapping[str, Sequence[Measured]]) -> None:
    """Draw bars of events a second."""
    medians = {name: statistics.median(run.rate for run in of_one) for name, of_one in runs.items()}
    axes = figure.add_subplot()
    bars(axes, "events a second, no model", medians, label="{:,.0f}")
    axes.invert_yaxis()


if __name__ == "__main__":
    sys.exit(main())
