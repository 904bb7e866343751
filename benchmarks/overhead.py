"""What the stream itself costs: the worker without a model against a bare loop and three stream libraries.

python -m benchmarks.overhead --data validation.csv --records 300000 --rounds 3

Every contender does the job of `benchmarks.jobs` in a process of its own, one after another, in alternating rounds,
with a fresh group and output topic, from one input topic on a real broker (KAFKA_HOME). A rate is taken between the
moments when a tenth and nine tenths of the events are in the output topic; CPU is what the contender's process took
between them, all threads. The libraries' pins exclude each other, so each runs in an environment of its own
(`make bench-rivals`); one that is not there is left out, and said so.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.machine import machine
from benchmarks.processes import cpu_seconds
from benchmarks.results import bars, save
from benchmarks.texts import read_texts
from testkit.kafka import Kafka, die_with_parent, find_kafka_home

OURS = "sluice"
CONTENDERS = {
    "bare loop": ("bare", None),
    OURS: ("sluice", None),
    "Quix Streams": ("with_quix", "quix"),
    "arroyo": ("with_arroyo", "arroyo"),
    "FastStream, batches": ("with_faststream_batches", "faststream"),
    "FastStream": ("with_faststream", "faststream"),
}
"""Program of each contender, and the environment it needs beside this one."""

TARGETS = {"bare loop": 0.6, "Quix Streams": 1.0, "arroyo": 4.0, "FastStream, batches": 4.0}
"""How many times as fast `OURS` means to be at least."""

PARTITIONS = 6
FROM, TO = 0.1, 0.9
_LOOK_SECONDS = 0.1
_START_SECONDS = 60.0
_END_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one contender: events a second, and microseconds of its process's CPU an event."""

    rate: float
    cpu_microseconds: float


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=60_000, help="records in the input topic (default: 60000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender runs (default: 3)")
    parser.add_argument("--longest", type=float, default=60, help="seconds a slow one is watched at most (default: 60)")
    parser.add_argument("--only", action="append", help="contenders whose name holds this; may be repeated")
    parser.add_argument("--rivals", type=Path, default=Path(".venv-rivals"), help="folder of their environments")
    parser.add_argument("--data", type=Path, help="CSV with a `text` column, or its folder (default: SLUICE_DATA)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the JSON and plot")
    arguments = parser.parse_args()
    home = find_kafka_home(os.environ)
    if isinstance(home, str):
        sys.stderr.write(f"overhead: left out: {home}\n")
        return 0
    programs = available(arguments.rivals, arguments.only)
    facts = machine()
    runs: dict[str, list[Measured]] = {name: [] for name in programs}
    with Kafka(home, nodes=1) as kafka:
        source = kafka.create_topic("comments", PARTITIONS)
        fill(kafka.bootstrap_servers, source, read_texts(arguments.data), arguments.records)
        for number in range(arguments.rounds):
            for name in list(programs) if number % 2 == 0 else list(programs)[::-1]:
                measured = measure(kafka, programs[name], source, arguments.records, arguments.longest)
                runs[name].append(measured)
                sys.stderr.write(f"{name}: {measured.rate:,.0f}/s, {measured.cpu_microseconds:.1f} us an event\n")
    report = {
        "machine": facts,
        "records": arguments.records,
        "rounds": arguments.rounds,
        "runs": {name: [asdict(run) for run in of_one] for name, of_one in runs.items()},
    }
    print_table(runs)
    save(arguments.out, "overhead", report, lambda figure: draw(figure, runs))
    return 0


def available(rivals: Path, only: Sequence[str] | None) -> dict[str, list[str]]:
    """Command of each contender asked for that can run here."""
    programs = {}
    for name, (module, environment) in CONTENDERS.items():
        if only and name != OURS and not any(part in name for part in only):
            continue
        python = Path(sys.executable) if environment is None else rivals.absolute() / environment / "bin/python"
        if python.exists():
            programs[name] = [str(python), "-m", f"benchmarks.jobs.{module}"]
        else:
            sys.stderr.write(f"overhead: {name} is left out: there is no {python} (`make bench-rivals` makes it)\n")
    return programs


def fill(servers: str, topic: str, texts: Sequence[str], records: int) -> None:
    """Put so many comments into the topic."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "compression.type": "lz4"})
    for number, text in enumerate(islice(cycle(texts), records)):
        value = json.dumps({"id": f"c-{number}", "text": text}).encode()
        while True:
            try:
                producer.produce(topic, value, key=b"%d" % number)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    if producer.flush(_END_SECONDS):
        sys.exit("overhead: the broker did not take the comments")


def measure(kafka: Kafka, program: Sequence[str], source: str, records: int, longest_seconds: float) -> Measured:
    """Run one contender until nine tenths of the events are out, or for so long at most."""
    target = kafka.create_topic(f"events-{uuid.uuid4().hex[:10]}", PARTITIONS)
    kafka.create_topic(f"{target}.dlq", PARTITIONS)
    command = [*program, kafka.bootstrap_servers, source, target, f"group-{target}"]
    watcher = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "watcher"})
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs in the child before exec
    ) as contender:
        try:
            begun = _when(watcher, target, contender, FROM * records, _START_SECONDS)
            ended = _when(watcher, target, contender, TO * records, longest_seconds)
        finally:
            contender.terminate()
            try:
                contender.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                contender.kill()
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


def _when(
    watcher: Consumer, topic: str, process: subprocess.Popen[bytes], events: float, limit_seconds: float
) -> _Moment:
    """The moment when so many events are in the topic, or the last one within the limit that saw some."""
    deadline = time.monotonic() + limit_seconds
    while True:
        if process.poll() is not None:
            sys.exit(f"overhead: {process.args!r} ended by itself with exit code {process.returncode}")
        moment = _Moment(time.monotonic(), _count(watcher, topic), cpu_seconds(process.pid))
        if moment.events >= events or (moment.events and moment.at > deadline):
            return moment
        if moment.at > deadline + _START_SECONDS:
            sys.exit(f"overhead: {process.args!r} wrote nothing for {limit_seconds + _START_SECONDS:g} s")
        time.sleep(_LOOK_SECONDS)


def _count(watcher: Consumer, topic: str) -> int:
    ends = (watcher.get_watermark_offsets(TopicPartition(topic, number), timeout=10) for number in range(PARTITIONS))
    return sum(end[1] for end in ends if end)


def print_table(runs: Mapping[str, Sequence[Measured]]) -> None:
    """The table, as Markdown."""
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
    """Bars of events a second."""
    medians = {name: statistics.median(run.rate for run in of_one) for name, of_one in runs.items()}
    axes = figure.add_subplot()
    bars(axes, "events a second, no model", medians, label="{:,.0f}")
    axes.invert_yaxis()


if __name__ == "__main__":
    sys.exit(main())
