"""What an open page takes of a worker's throughput: a full topic with nobody looking, and with somebody.

python -m benchmarks.page_open --data validation.csv --comments 1500 --rounds 5

In alternating rounds a worker with the embedded model works off a topic: alone; and with `sluice page` beside it on the
same machine, which reads the worker's topics and metrics and has one reader, who follows the stream and looks at most
views every `LOOK_SECONDS`. A rate is a slope over the broker's append times of the label events
(`benchmarks.steady_rate`). Two rates of a shared machine differ by more than a page takes, so the page's own CPU time
stands beside them. What it costs others is not in it: the broker that it reads from, the worker whose metrics it asks.
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Any

from benchmarks.live import LiveWorker, MeasuredProcess, wait_until_shared
from benchmarks.output_log import LOG_APPEND_TIME, steady_rate
from benchmarks.page_reader import PageReader
from benchmarks.program import Program
from benchmarks.results import OURS, THEIRS
from testkit.kafka import Kafka, free_ports
from testkit.stream import Topics
from testkit.workers import environment_of

ALONE, OPEN = "nobody looks", "page open"
COLOURS = {ALONE: THEIRS, OPEN: OURS}
PARTITIONS = 6
LOOK_SECONDS = 5.0
_TICK_SECONDS = 0.5
_NOTHING_NEW_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run.

    Attributes:
        rate: Comments labelled a second.
        page_cores: CPU time that the page took for each second in which the worker had work.
        slowest_ms: The slowest view, in milliseconds.
    """

    rate: float
    page_cores: float = 0.0
    slowest_ms: float = 0.0


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    program = Program("page_open", __doc__)
    add = program.parser.add_argument
    add("--comments", type=int, default=1500, help="comments in each run (default: 1500)")
    add("--rounds", type=int, default=5, help="how often each of the two runs (default: 5)")
    arguments = program.parse()
    texts = list(islice(cycle(program.texts()), arguments.comments))
    runs: dict[str, list[Measured]] = {ALONE: [], OPEN: []}
    with program.kafka() as kafka:
        for number in range(arguments.rounds):
            for name in (ALONE, OPEN) if number % 2 == 0 else (OPEN, ALONE):
                measured = run(kafka, texts, watched=name == OPEN)
                runs[name].append(measured)
                sys.stderr.write(f"{name}: {measured}\n")
    report = {
        "comments": arguments.comments,
        "runs": {name: [asdict(one) for one in of_one] for name, of_one in runs.items()},
    }
    print_table(runs, program.machine)
    program.save(report, lambda figure: draw(figure, runs))
    return 0


def run(kafka: Kafka, texts: Sequence[str], *, watched: bool) -> Measured:
    """One worker on one full topic."""
    topics = Topics(kafka, PARTITIONS, **LOG_APPEND_TIME)
    with LiveWorker(kafka, topics, {"log.level": "warning"}) as worker:
        wait_until_shared([worker], PARTITIONS)
        if not watched:
            _work_off(worker, topics, texts, None)
            return Measured(steady_rate(topics, len(texts)))
        with _open_page(kafka, topics, worker) as (page, reader):
            before, begun = page.cpu_seconds(), time.monotonic()
            slowest = _work_off(worker, topics, texts, reader)
            cores = (page.cpu_seconds() - before) / (time.monotonic() - begun)
    return Measured(steady_rate(topics, len(texts)), cores, slowest * 1000)


@contextmanager
def _open_page(kafka: Kafka, topics: Topics, worker: LiveWorker) -> Iterator[tuple[MeasuredProcess, PageReader]]:
    """The page of this worker's stream, and its reader."""
    (port,) = free_ports(1)
    settings = {
        "kafka.bootstrap_servers": kafka.bootstrap_servers,
        **topics.settings,
        "page.port": port,
        "page.workers": worker.address,
        "log.level": "warning",
    }
    reader = PageReader(port)
    with MeasuredProcess([sys.executable, "-m", "worker", "page"], environment_of(settings)) as page:
        reader.wait_until_there(page)
        reader.open()
        yield page, reader
        reader.close()


def _work_off(worker: LiveWorker, topics: Topics, texts: Sequence[str], reader: PageReader | None) -> float:
    """Send all comments and wait for their labels; the seconds of the slowest view."""
    topics.fill(json.dumps({"id": f"c-{number}", "text": text}).encode() for number, text in enumerate(texts))
    slowest, looked_at = 0.0, time.monotonic()
    moved_at, before = looked_at, -1.0
    while True:
        worker.check()
        now = time.monotonic()
        if reader is not None and now - looked_at >= LOOK_SECONDS:
            looked_at = now
            slowest = max(slowest, reader.look_round()[0])
        done = worker.totals()["sluice_records_processed_total"]
        if done >= len(texts):
            return slowest
        if done != before:
            moved_at, before = now, done
        elif now - moved_at > _NOTHING_NEW_SECONDS:
            sys.exit(f"page_open: nothing has moved for {_NOTHING_NEW_SECONDS:g} s:\n{worker.log[-2000:]}")
        time.sleep(_TICK_SECONDS)


def print_table(runs: Mapping[str, Sequence[Measured]], facts: Mapping[str, Any]) -> None:
    """Print the table, as Markdown."""
    print(f"\n{facts['cpu']}, {facts['cores']} cores, load before {facts['load_before']}\n")
    print("| | comments/s | of the rate alone | page, cores | slowest view, ms |")
    print("|---|---|---|---|---|")
    for name, of_one in runs.items():
        left = [one.rate / alone.rate for alone, one in zip(runs[ALONE], of_one, strict=True)]
        print(
            f"| {name} | {statistics.median(one.rate for one in of_one):,.1f} "
            f"| {statistics.median(left):.1%} ({min(left):.1%} to {max(left):.1%}) "
            f"| {statistics.median(one.page_cores for one in of_one):.3f} "
            f"| {statistics.median(one.slowest_ms for one in of_one):,.0f} |"
        )


def draw(figure: Any, runs: Mapping[str, Sequence[Measured]]) -> None:
    """Draw the rates of every round."""
    axes = figure.subplots()
    for name, of_one in runs.items():
        axes.plot(range(1, len(of_one) + 1), [one.rate for one in of_one], "o-", color=COLOURS[name], label=name)
    axes.set_title("comments a second")
    axes.set_xlabel("round")
    axes.set_ylim(bottom=0)
    axes.legend()


if __name__ == "__main__":
    sys.exit(main())
