"""Whether memory, threads and file descriptors of one worker stay flat over hours.

python -m benchmarks.leaks --seconds 3600 [--classifier keywords] [--guarantee exactly-once] [--rate 50]

A producer keeps the worker's input full, or sends `--rate` records a second: comments of every length, each different,
so that the model sees ever-changing shapes, and now and then a tombstone or a record that becomes a dead letter.
`keywords` uses the tests' cheap classifier instead of the embedded model, so that the stream itself runs as fast as it
can.

Each sample is appended to a file as it is taken, so that a soak of a night that is cut off still has its slopes:
`--samples FILE` prints the table of such a file. A run needs the Kafka named by KAFKA_HOME.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any, TextIO

from confluent_kafka import Producer

from benchmarks.growth import WARM_UP_SHARE, after_warm_up, draw_memory, growth_an_hour
from benchmarks.live import MeasuredProcess
from benchmarks.program import Program
from testkit.kafka import Kafka
from testkit.stream import Topics, produce_waiting
from testkit.topic_reader import CommittedOffsets
from testkit.workers import environment_of

PROGRAMS = {"embedded": ["worker", "run"], "keywords": ["testkit.keyword_worker"]}
GUARANTEES = ("at-least-once", "exactly-once")
PARTITIONS = 6
SAMPLE_SECONDS = 10.0
QUANTITIES = ("resident_mib", "threads", "descriptors")
"""What must not grow."""

_RETAINED_BYTES = {"retention.bytes": "67108864", "segment.bytes": "16777216"}
_MOST_WAITING = 20_000
_KIB_A_MIB = 1024
_DEAD_LETTER_EVERY = 100
_TOMBSTONE_EVERY = 100


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
    add("--guarantee", choices=GUARANTEES, default=GUARANTEES[0], help=f"the guarantee (default: {GUARANTEES[0]})")
    add("--rate", type=float, default=0, help="records a second (default: as many as the worker takes)")
    add("--samples", type=Path, metavar="FILE", help="only print the table of the samples that a run left in FILE")
    arguments = program.parse()
    if arguments.samples:
        print_table(arguments.samples.name, read_samples(arguments.samples))
        return 0
    arguments.out.mkdir(parents=True, exist_ok=True)
    name = f"leaks-{arguments.classifier}-{arguments.guarantee}"
    with program.kafka() as kafka, (arguments.out / f"{name}.jsonl").open("w", encoding="utf-8") as kept:
        worker = Watched(PROGRAMS[arguments.classifier], {"delivery.guarantee": arguments.guarantee}, arguments.rate)
        samples = watch(kafka, worker, program.texts(), arguments.seconds, kept)
    report = {
        "classifier": arguments.classifier,
        "guarantee": arguments.guarantee,
        "records_a_second": arguments.rate or None,
        "slopes_per_hour": {name: growth_an_hour(samples, name) for name in QUANTITIES},
        "samples": [asdict(sample) for sample in samples],
    }
    title = f"{arguments.classifier}, {arguments.guarantee}"
    print_table(title, samples)
    program.save(report, lambda figure: draw_memory(figure, f"resident memory, {title}", samples), name=name)
    return 0


@dataclass(frozen=True, slots=True)
class Watched:
    """The worker that is watched.

    Attributes:
        program: Arguments of `python -m`.
        settings: Settings besides those of its topics and broker.
        rate: Records it gets a second; 0 for as many as it takes.
    """

    program: Sequence[str]
    settings: Mapping[str, object]
    rate: float


def watch(kafka: Kafka, watched: Watched, texts: Sequence[str], seconds: float, kept: TextIO) -> list[Sample]:
    """Sample a worker that is kept busy for this long, and append each sample to `kept` as a line of JSON."""
    topics = Topics(kafka, PARTITIONS, **_RETAINED_BYTES)
    settings = {**watched.settings, **topics.settings, "kafka.bootstrap_servers": kafka.bootstrap_servers}
    over = threading.Event()
    samples: list[Sample] = []
    with CommittedOffsets(kafka.bootstrap_servers, topics.group, topics.input) as committed:
        lock = threading.Lock()

        def processed() -> int:
            with lock:
                return sum(committed.read().values())

        feeder = threading.Thread(
            target=_feed,
            args=(kafka.bootstrap_servers, topics.input, texts, processed, over, watched.rate),
            daemon=True,
        )
        with MeasuredProcess([sys.executable, "-m", *watched.program], environment_of(settings)) as worker:
            feeder.start()
            started = time.monotonic()
            while (passed := time.monotonic() - started) < seconds:
                time.sleep(min(SAMPLE_SECONDS, seconds - passed))
                worker.check()
                samples.append(_sample(worker.process.pid, time.monotonic() - started, processed()))
                kept.write(json.dumps(asdict(samples[-1])) + "\n")
                kept.flush()
            over.set()
            feeder.join()
    return samples


def read_samples(file: Path) -> list[Sample]:
    """The samples of a run that may have been cut off, its last line with it."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return [Sample(**json.loads(line)) for line in lines if line.endswith("\n")]


def _feed(
    servers: str, topic: str, texts: Sequence[str], processed: Callable[[], int], over: threading.Event, rate: float
) -> None:
    """Send records without end, no text twice, at a rate or never many more than the worker has processed."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "compression.type": "lz4"})
    begun = time.monotonic()
    for number, text in zip(count(), cycle(texts), strict=False):
        if rate:
            producer.poll(0)
            over.wait(begun + number / rate - time.monotonic())
        elif number % 1000 == 0:
            while not over.is_set() and number - processed() > _MOST_WAITING:
                over.wait(0.05)
        if over.is_set():
            break
        produce_waiting(producer, topic, record_value(number, text), key=b"%d" % number)
    producer.flush(30)


def record_value(number: int, text: str) -> bytes | None:
    """Value of record `number`: a comment, now and then a tombstone or what becomes a dead letter."""
    if number % _TOMBSTONE_EVERY == _TOMBSTONE_EVERY // 2:
        return None
    value = json.dumps({"id": f"c-{number}", "text": f"{text} {number}"}).encode()
    return value[:-1] if number % _DEAD_LETTER_EVERY == 0 else value


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
