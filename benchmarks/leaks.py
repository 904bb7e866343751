"""Memory, threads and file descriptors of one worker at full rate, over an hour: flat, or a leak.

python -m benchmarks.leaks --seconds 3600 [--classifier keywords]

A producer keeps the worker's input full with comments of every length, each different, so that the model sees
ever-changing shapes. `keywords` takes the tests' cheap classifier instead of the embedded model: then the stream itself
runs as fast as it can. Needs the Kafka named by KAFKA_HOME.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from benchmarks.growth import WARM_UP_SHARE, after_warm_up, draw_memory, growth_an_hour
from benchmarks.machine import machine
from benchmarks.results import save
from benchmarks.texts import read_texts
from testkit.kafka import Kafka, die_with_parent, find_kafka_home
from testkit.stream import Topics
from testkit.workers import environment_of

PROGRAMS = {"embedded": ["worker", "run"], "keywords": ["testkit.keyword_worker"]}
PARTITIONS = 6
SAMPLE_SECONDS = 10.0
QUANTITIES = ("resident_mib", "threads", "descriptors")
"""That must not grow."""

_RETAINED_BYTES = {"retention.bytes": "67108864", "segment.bytes": "16777216"}
_MOST_WAITING = 20_000
_KIB_A_MIB = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """The worker at one moment.

    Attributes:
        seconds: Since it began.
        resident_mib: Memory it holds.
        threads: Its threads.
        descriptors: Its open files and sockets.
        processed: Records committed so far.
    """

    seconds: float
    resident_mib: float
    threads: int
    descriptors: int
    processed: int


def main() -> int:
    """Run the worker, sample it, print the slopes, write JSON and plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="how long (default: 300)")
    parser.add_argument("--classifier", choices=PROGRAMS, default="embedded", help="what scores (default: embedded)")
    parser.add_argument("--data", type=Path, help="CSV with a `text` column, or its folder (default: SLUICE_DATA)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the JSON and plot")
    arguments = parser.parse_args()
    home = find_kafka_home(os.environ)
    if isinstance(home, str):
        sys.stderr.write(f"leaks: left out: {home}\n")
        return 0
    with Kafka(home, nodes=1) as kafka:
        samples = watch(kafka, PROGRAMS[arguments.classifier], read_texts(arguments.data), arguments.seconds)
    report = {
        "machine": machine(),
        "classifier": arguments.classifier,
        "slopes_per_hour": {name: growth_an_hour(samples, name) for name in QUANTITIES},
        "samples": [asdict(sample) for sample in samples],
    }
    print_table(arguments.classifier, samples)
    title = f"resident memory, {arguments.classifier}"
    save(arguments.out, f"leaks-{arguments.classifier}", report, lambda figure: draw_memory(figure, title, samples))
    return 0


def watch(kafka: Kafka, program: Sequence[str], texts: Sequence[str], seconds: float) -> list[Sample]:
    """Samples of a worker that is kept busy for so long."""
    topics = Topics(kafka, PARTITIONS, **_RETAINED_BYTES)
    environment = environment_of({**topics.settings, "kafka.bootstrap_servers": kafka.bootstrap_servers})
    over = threading.Event()
    committed = _committed_reader(kafka, topics)
    feeder = threading.Thread(
        target=_feed, args=(kafka.bootstrap_servers, topics.input, texts, committed, over), daemon=True
    )
    samples: list[Sample] = []
    with subprocess.Popen(
        [sys.executable, "-m", *program],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs in the child before exec
    ) as worker:
        feeder.start()
        started = time.monotonic()
        while (passed := time.monotonic() - started) < seconds:
            time.sleep(min(SAMPLE_SECONDS, seconds - passed))
            if worker.poll() is not None:
                sys.exit(f"leaks: the worker ended with exit code {worker.returncode}")
            samples.append(_sample(worker.pid, time.monotonic() - started, committed()))
            sys.stderr.write(f"{samples[-1]}\n")
        over.set()
        feeder.join()
        worker.terminate()
    if worker.returncode != 0:
        sys.exit(f"leaks: the worker ended with exit code {worker.returncode} when asked to stop")
    return samples


def _feed(servers: str, topic: str, texts: Sequence[str], committed: Callable[[], int], over: threading.Event) -> None:
    """Comments without end, no text twice, never many more than the worker has taken."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "compression.type": "lz4"})
    for number, text in zip(count(), cycle(texts), strict=False):
        if number % 1000 == 0:
            while not over.is_set() and number - committed() > _MOST_WAITING:
                over.wait(0.05)
        if over.is_set():
            break
        value = json.dumps({"id": f"c-{number}", "text": f"{text} {number}"}).encode()
        while True:
            try:
                producer.produce(topic, value, key=b"%d" % number)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush(30)


def _committed_reader(kafka: Kafka, topics: Topics) -> Callable[[], int]:
    """A function that gives how many records the group has committed."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": topics.group})
    asked = [TopicPartition(topics.input, partition) for partition in range(PARTITIONS)]
    lock = threading.Lock()
    known = 0

    def committed() -> int:
        nonlocal known
        with lock, suppress(KafkaException):  # a coordinator on its way; the next look will know
            known = sum(max(0, partition.offset) for partition in consumer.committed(asked, timeout=60))
        return known

    return committed


def _sample(pid: int, seconds: float, processed: int) -> Sample:
    fields = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    return Sample(
        seconds=round(seconds, 1),
        resident_mib=int(fields["VmRSS"].split()[0]) / _KIB_A_MIB,
        threads=int(fields["Threads"]),
        descriptors=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        processed=processed,
    )


def print_table(classifier: str, samples: Sequence[Sample]) -> None:
    """The table, as Markdown."""
    last, kept = samples[-1], after_warm_up(samples)
    print(
        f"\n{classifier}: {last.processed:,} records in {last.seconds:,.0f} s, {last.processed / last.seconds:,.0f}/s; "
        f"slopes over the last {1 - WARM_UP_SHARE:.0%}\n"
    )
    print("| | first | after warm-up | last | largest | slope an hour |")
    print("|---|---|---|---|---|---|")
    for name in QUANTITIES:
        values: list[Any] = [getattr(sample, name) for sample in samples]
        warm, growth = getattr(kept[0], name), growth_an_hour(samples, name)
        print(f"| {name} | {values[0]:.0f} | {warm:.0f} | {values[-1]:.0f} | {max(values):.0f} | {growth:+.2f} |")


if __name__ == "__main__":
    sys.exit(main())
