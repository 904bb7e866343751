"""Whether memory, threads and file descriptors of one worker at full rate stay flat over an hour.

python -m benchmarks.leaks --seconds 3600 [--classifier keywords]

A producer keeps the worker's input full with comments of every length, each different, so that the model sees
ever-changing shapes. `keywords` uses the tests' cheap classifier instead of the embedded model, so that the stream
itself runs as fast as it can. This needs the Kafka named by KAFKA_HOME.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from benchmarks.growth import WARM_UP_SHARE, after_warm_up, draw_memory, growth_an_hour
from benchmarks.live import MeasuredProcess
from benchmarks.program import Program
from testkit.kafka import Kafka
from testkit.stream import Topics, produce_waiting
from testkit.topic_reader import CommittedOffsets
from testkit.workers import environment_of

PROGRAMS = {"embedded": ["worker", "run"], "keywords": ["testkit.keyword_worker"]}
PARTITIONS = 6
SAMPLE_SECONDS = 10.0
QUANTITIES = ("resident_mib", "threads", "descriptors")
"""What must not grow."""

_RETAINED_BYTES = {"retention.bytes": "67108864", "segment.bytes": "16777216"}
_MOST_WAITING = 20_000
_KIB_A_MIB = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """The worker at one moment.

    Attributes:
        seconds: Time since its start.
        resident_mib: Its resident memory.
        threads: Number of its threads.
        descriptors: Number of its open files and sockets.
        processed: Records committed so far.
    """

    seconds: float
    resident_mib: float
    threads: int
    descriptors: int
    processed: int


def main() -> int:
    """Run the worker, sample it, print the slopes, write JSON and plot."""
    program = Program("leaks", __doc__)
    add = program.parser.add_argument
    add("--seconds", type=float, default=300, help="how long to run (default: 300)")
    add("--classifier", choices=PROGRAMS, default="embedded", help="the classifier (default: embedded)")
    arguments = program.parse()
    with program.kafka() as kafka:
        samples = watch(kafka, PROGRAMS[arguments.classifier], program.texts(), arguments.seconds)
    report = {
        "classifier": arguments.classifier,
        "slopes_per_hour": {name: growth_an_hour(samples, name) for name in QUANTITIES},
        "samples": [asdict(sample) for sample in samples],
    }
    print_table(arguments.classifier, samples)
    title = f"resident memory, {arguments.classifier}"
    program.save(report, lambda figure: draw_memory(figure, title, samples), name=f"leaks-{arguments.classifier}")
    return 0


def watch(kafka: Kafka, program: Sequence[str], texts: Sequence[str], seconds: float) -> list[Sample]:
    """Sample a worker that is kept busy for this long."""
    topics = Topics(kafka, PARTITIONS, **_RETAINED_BYTES)
    settings = {**topics.settings, "kafka.bootstrap_servers": kafka.bootstrap_servers}
    over = threading.Event()
    samples: list[Sample] = []
    with CommittedOffsets(kafka.bootstrap_servers, topics.group, topics.input) as committed:
        lock = threading.Lock()

        def processed() -> int:
            with lock:
                return sum(committed.read().values())

        feeder = threading.Thread(
            target=_feed, args=(kafka.bootstrap_servers, topics.input, texts, processed, over), daemon=True
        )
        with MeasuredProcess([sys.executable, "-m", *program], environment_of(settings)) as worker:
            feeder.start()
            started = time.monotonic()
            while (passed := time.monotonic() - started) < seconds:
                time.sleep(min(SAMPLE_SECONDS, seconds - passed))
                worker.check()
                samples.append(_sample(worker.process.pid, time.monotonic() - started, processed()))
                sys.stderr.write(f"{samples[-1]}\n")
            over.set()
            feeder.join()
    return samples


def _feed(servers: str, topic: str, texts: Sequence[str], processed: Callable[[], int], over: threading.Event) -> None:
    """Send comments without end, no text twice, and never many more than the worker has processed."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "compression.type": "lz4"})
    for number, text in zip(count(), cycle(texts), strict=False):
        if number % 1000 == 0:
            while not over.is_set() and number - processed() > _MOST_WAITING:
                over.wait(0.05)
        if over.is_set():
            break
        value = json.dumps({"id": f"c-{number}", "text": f"{text} {number}"}).encode()
        produce_waiting(producer, topic, value, key=b"%d" % number)
    producer.flush(30)


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
    """Print the table, as Markdown."""
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
