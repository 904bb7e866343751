"""Whether the page stays small and quick while its topic is fast.

python -m benchmarks.page --seconds 600 --rate 10000

A sender publishes label events at the rate into an embedded broker, and now and then a record that is none; the page
runs as `sluice page` does. A browser follows its events, and asks for what most views show in turn. Needs no Kafka.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka import Producer

from benchmarks.growth import after_warm_up, draw_memory, growth_an_hour
from benchmarks.live import MeasuredProcess
from benchmarks.page_reader import PageReader
from benchmarks.program import Program
from testkit.kafka import free_ports
from testkit.label_events import label_event
from testkit.workers import environment_of
from worker.kafka.embedded.broker import EmbeddedBroker

PARTITIONS = 6
SAMPLE_SECONDS = 5.0
_DIFFERENT = 5000
_FOREIGN_EVERY = 1000
_KIB_A_MIB = 1024
_TICK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """The page at one moment.

    Attributes:
        seconds: Time since its start.
        resident_mib: Its resident memory.
        threads: Number of its threads.
        cpu_seconds: CPU time it has used.
        seen: Events that it knows of.
        read: Those it has read.
        slowest_ms: The slowest of the views, asked once each.
    """

    seconds: float
    resident_mib: float
    threads: int
    cpu_seconds: float
    seen: int
    read: int
    slowest_ms: float


def main() -> int:
    """Run it, print the table, write JSON and plot."""
    program = Program("page", __doc__, needs_kafka=False)
    program.parser.add_argument("--seconds", type=float, default=120, help="how long to run (default: 120)")
    program.parser.add_argument("--rate", type=float, default=10_000, help="events a second (default: 10000)")
    arguments = program.parse()
    topics = dict.fromkeys(("comments", "comment-labels", "comments.dlq"), PARTITIONS)
    with EmbeddedBroker(topics) as broker:
        samples, sent = watch(broker.bootstrap_servers, arguments.seconds, arguments.rate)
    print_table(samples, sent)
    report = {"events_sent": sent, "events_a_second": arguments.rate, "samples": [asdict(one) for one in samples]}
    program.save(report, lambda figure: draw_memory(figure, "resident memory of the page", samples))
    return 0


def watch(servers: str, seconds: float, rate: float) -> tuple[list[Sample], int]:
    """Samples of a page whose output topic gets this rate, and how many events were sent."""
    (port,) = free_ports(1)
    settings = {"kafka.bootstrap_servers": servers, "page.port": port, "log.level": "warning"}
    over = threading.Event()
    sender = _Sender(servers, rate, over)
    reader = PageReader(port)
    samples: list[Sample] = []
    with MeasuredProcess([sys.executable, "-m", "worker", "page"], environment_of(settings)) as page:
        reader.wait_until_there(page)
        begun = time.monotonic()
        sender.start()
        reader.open()
        while (passed := time.monotonic() - begun) < seconds:
            time.sleep(min(SAMPLE_SECONDS, seconds - passed))
            page.check()
            samples.append(_sample(page, reader, time.monotonic() - begun))
        over.set()
        reader.close()
        sender.join()
        page.stop()
    return samples, sender.sent


class _Sender(threading.Thread):
    """Sends events of now at an even rate."""

    def __init__(self, servers: str, rate: float, over: threading.Event) -> None:
        super().__init__(name="sender", daemon=True)
        self.sent = 0
        self._rate = rate
        self._over = over
        self._producer = Producer({"bootstrap.servers": servers, "linger.ms": 50, "compression.type": "lz4"})

    def run(self) -> None:
        head = [json.dumps(label_event(f"c-{n}", f"text {n} " * 20, toxic=n / _DIFFERENT)) for n in range(_DIFFERENT)]
        parts = [event.rpartition('"processed_at": ')[0].encode() for event in head]
        begun = time.monotonic()
        while not self._over.wait(_TICK_SECONDS):
            now = time.gmtime()
            tail = b'"processed_at": "%s"}' % time.strftime("%Y-%m-%dT%H:%M:%SZ", now).encode()
            for _ in range(int((time.monotonic() - begun) * self._rate) - self.sent):
                foreign = self.sent % _FOREIGN_EVERY == 0
                value = b'{"another": "schema"}' if foreign else parts[self.sent % _DIFFERENT] + tail
                try:
                    self._producer.produce("comment-labels", value, partition=self.sent % PARTITIONS)
                except BufferError:
                    break
                self.sent += 1
            self._producer.poll(0)
        self._producer.flush(10)


def _sample(page: MeasuredProcess, reader: PageReader, seconds: float) -> Sample:
    slowest, found = reader.look_round()
    sampled = found["page"]["sampled"]
    lines = Path(f"/proc/{page.process.pid}/status").read_text(encoding="utf-8").splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    return Sample(
        round(seconds, 1),
        int(status["VmRSS"].split()[0]) / _KIB_A_MIB,
        int(status["Threads"]),
        page.cpu_seconds(),
        sampled["seen"],
        sampled["read"],
        round(slowest * 1000, 1),
    )


def print_table(samples: Sequence[Sample], sent: int) -> None:
    """Print the table, as Markdown."""
    first, last, kept = samples[0], samples[-1], after_warm_up(samples)
    print(f"\n{sent:,} events sent in {last.seconds:,.0f} s, {last.seen:,} seen, {last.read:,} read\n")
    print("| | first | after warm-up | last | largest |")
    print("|---|---|---|---|---|")
    for title, name in (("resident MiB", "resident_mib"), ("threads", "threads"), ("slowest view, ms", "slowest_ms")):
        values = [getattr(sample, name) for sample in samples]
        settled = getattr(kept[0], name)
        print(f"| {title} | {values[0]:,.0f} | {settled:,.0f} | {values[-1]:,.0f} | {max(values):,.0f} |")
    cores = (last.cpu_seconds - first.cpu_seconds) / (last.seconds - first.seconds)
    slope = growth_an_hour(samples, "resident_mib")
    median = statistics.median(sample.slowest_ms for sample in samples)
    print(
        f"\n{cores:.2f} cores; memory grows by {slope:.0f} MiB an hour; the slowest view takes {median:.0f} ms (median)"
    )


if __name__ == "__main__":
    sys.exit(main())
