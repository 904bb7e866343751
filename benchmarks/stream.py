"""How much of the offline speed remains in the stream: `sluice run` against the same model without Kafka.

python -m benchmarks.stream --data validation.csv --comments 4000 --rounds 3

In alternating rounds, each in its own process, `benchmarks.offline` runs on the texts, and the worker on a topic that
already holds them, with the broker (KAFKA_HOME) on the same machine. A first run of the worker is not counted: a broker
that has just started spends a fifth of a core on compiling itself. Both read `SLUICE_MODEL__...` and
`SLUICE_BATCH__...` from the environment. A rate is a slope between 10 % and 95 % of the comments
(`benchmarks.steady_rate`): in the stream over the broker's append times of the label events, offline over the times at
which a batch was scored.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import cycle, islice
from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer

from benchmarks.live import LiveWorker
from benchmarks.output_log import LOG_APPEND_TIME, event_count
from benchmarks.processes import cpu_seconds
from benchmarks.program import Program
from benchmarks.results import BESIDE, OURS, THEIRS
from benchmarks.steady_rate import Measured, Point, TooShort, measure
from testkit.child_process import die_with_parent
from testkit.kafka import Kafka
from testkit.stream import Topics
from testkit.workers import environment_of

OFFLINE, STREAM = "offline", "stream"
TARGET = 0.95
PARTITIONS = 6
_LOOK_SECONDS = 0.5
_NOTHING_NEW_SECONDS = 180.0
_SHARED_SETTINGS = ("SLUICE_MODEL__", "SLUICE_BATCH__")
_IN_MODEL, _LANES = "sluice_inference_duration_seconds_sum", "sluice_inference_lanes"


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    program = Program("stream", __doc__)
    program.parser.add_argument("--comments", type=int, default=4000, help="comments in each run (default: 4000)")
    program.parser.add_argument("--rounds", type=int, default=3, help="how often each of the two runs (default: 3)")
    arguments = program.parse()
    texts = list(islice(cycle(program.texts()), arguments.comments))
    runs: dict[str, list[Measured]] = {OFFLINE: [], STREAM: []}
    with program.kafka() as kafka:
        run_stream(kafka, texts)
        contenders = {OFFLINE: lambda: run_offline(texts), STREAM: lambda: run_stream(kafka, texts)}
        for number in range(arguments.rounds):
            for name in list(contenders) if number % 2 == 0 else list(contenders)[::-1]:
                try:
                    measured = measure(contenders[name]())
                except TooShort as error:
                    sys.exit(f"stream: {error}. Raise --comments.")
                runs[name].append(measured)
                sys.stderr.write(f"{name}: {measured.rate:,.0f}/s, {measured.cpu_milliseconds:.2f} ms CPU a comment\n")
    report = {
        "settings": {name: value for name, value in os.environ.items() if name.startswith(_SHARED_SETTINGS)},
        "comments": arguments.comments,
        "rounds": arguments.rounds,
        "kept": kept(runs),
        "runs": {name: [asdict(run) for run in of_one] for name, of_one in runs.items()},
    }
    print_table(runs, program.machine)
    program.save(report, lambda figure: draw(figure, runs))
    return 0


def run_offline(texts: Sequence[str]) -> dict[str, list[Point]]:
    """The curves of a run without Kafka."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.offline"],
        input=json.dumps(texts),
        env=environment_of({}, keep=_SHARED_SETTINGS),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=die_with_parent,
    )
    if done.returncode != 0:
        sys.exit(f"stream: offline classification ended with exit code {done.returncode}")
    curves: dict[str, list[Point]] = json.loads(done.stdout)
    return curves


def run_stream(kafka: Kafka, texts: Sequence[str]) -> dict[str, list[Point]]:
    """The curves of a worker that finds all the texts in its topic."""
    topics = Topics(kafka, PARTITIONS, **LOG_APPEND_TIME)
    topics.fill(json.dumps({"id": f"c-{number}", "text": text}).encode() for number, text in enumerate(texts))
    with LiveWorker(kafka, topics, {"log.level": "warning"}, keep=_SHARED_SETTINGS) as worker:
        used = _watch(worker, kafka, topics, len(texts))
    return used | _events(topics, len(texts))


def _watch(worker: LiveWorker, kafka: Kafka, topics: Topics, comments: int) -> dict[str, list[Point]]:
    """The costs of worker and broker at regular times, from the first event until there are `comments` events."""
    curves: dict[str, list[Point]] = {"cpu_seconds": [], "model_seconds": [], "broker_cpu_seconds": []}
    watcher = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "watcher"})
    events, changed_at = 0, time.monotonic()
    try:
        while events < comments:
            time.sleep(_LOOK_SECONDS)
            worker.check()
            before, events = events, event_count(watcher, topics.output, PARTITIONS)
            if events > before:
                changed_at = time.monotonic()
            elif time.monotonic() - changed_at > _NOTHING_NEW_SECONDS:
                sys.exit(f"stream: no label event for {_NOTHING_NEW_SECONDS:g} s, after {events} of {comments}")
            if events:
                # Each amount gets its own time: on a busy machine, reading all three is not instantaneous.
                curves["cpu_seconds"].append((time.time(), worker.cpu_seconds()))
                curves["broker_cpu_seconds"].append((time.time(), cpu_seconds(kafka.nodes[0].pid)))
                totals = worker.totals()
                curves["model_seconds"].append((time.time(), totals[_IN_MODEL] / totals[_LANES]))
    finally:
        watcher.close()
    return curves


def _events(topics: Topics, comments: int) -> dict[str, list[Point]]:
    """Label events and their tokens over the broker's append time; ends the program unless each comment has one."""
    events: list[tuple[float, str, int]] = []
    for message in topics.read(topics.output):
        kind, milliseconds = message.timestamp()
        assert kind == TIMESTAMP_LOG_APPEND_TIME  # noqa: S101 - the topic was created that way
        event = json.loads(message.value() or b"")
        events.append((milliseconds / 1000, event["comment"]["id"], event["text"]["tokens"]))
    if len(events) != comments or len({comment for _, comment, _ in events}) != comments or not topics.is_done():
        sys.exit(f"stream: {len(events)} label events for {comments} comments; each needs exactly one, committed")
    curves: dict[str, list[Point]] = {"comments": [], "tokens": []}
    tokens = 0
    for number, (at, _, of_one) in enumerate(sorted(events), 1):
        tokens += of_one
        curves["comments"].append((at, number))
        curves["tokens"].append((at, tokens))
    return curves


def kept(runs: Mapping[str, Sequence[Measured]]) -> dict[str, list[float]]:
    """For each round, the stream's share of the offline rate in comments and in tokens, and its share of the CPU."""
    rounds = list(zip(runs[OFFLINE], runs[STREAM], strict=True))
    return {
        "rate": [stream.rate / offline.rate for offline, stream in rounds],
        "token_rate": [stream.token_rate / offline.token_rate for offline, stream in rounds],
        "cpu": [stream.cpu_milliseconds / offline.cpu_milliseconds for offline, stream in rounds],
    }


def print_table(runs: Mapping[str, Sequence[Measured]], facts: Mapping[str, Any]) -> None:
    """Print the tables, as Markdown."""
    print(f"\n{facts['cpu']}, {facts['cores']} cores, load before {facts['load_before']}\n")
    print("| | comments/s | spread | tokens/s | CPU ms a comment | model busy | broker's CPU ms a comment |")
    print("|---|---|---|---|---|---|---|")
    for name, of_one in runs.items():
        rates = [run.rate for run in of_one]
        median = {field: statistics.median(asdict(run)[field] for run in of_one) for field in asdict(of_one[0])}
        broker = f"{median['broker_cpu_milliseconds']:.2f}" if name == STREAM else ""
        print(
            f"| {name} | {median['rate']:,.1f} | {max(rates) / min(rates) - 1:.0%} | {median['token_rate']:,.0f} "
            f"| {median['cpu_milliseconds']:.2f} | {median['model_share']:.1%} | {broker} |"
        )
    print("\n| stream over offline | median of the rounds | lowest | highest | target |")
    print("|---|---|---|---|---|")
    for name, shares in kept(runs).items():
        target = f">= {TARGET:.0%}" if name == "rate" else ""
        print(f"| {name} | {statistics.median(shares):.1%} | {min(shares):.1%} | {max(shares):.1%} | {target} |")


def draw(figure: Any, runs: Mapping[str, Sequence[Measured]]) -> None:
    """Draw the rates of every round, and the CPU time by process."""
    rates, cpu = figure.subplots(1, 2)
    colours = {OFFLINE: THEIRS, STREAM: OURS}
    for name, of_one in runs.items():
        rounds = range(1, len(of_one) + 1)
        rates.plot(rounds, [run.rate for run in of_one], "o-", color=colours[name], label=name)
        bar = cpu.bar(name, statistics.median(run.cpu_milliseconds for run in of_one), color=colours[name])
        cpu.bar_label(bar, fmt="%.2f", label_type="center")
    scoring = statistics.median(run.cpu_milliseconds for run in runs[STREAM])
    broker = statistics.median(run.broker_cpu_milliseconds for run in runs[STREAM])
    cpu.bar_label(cpu.bar(STREAM, broker, bottom=scoring, color=BESIDE, label="broker"), labels=[f"{broker:.2f}"])
    rates.set_title("comments a second")
    rates.set_xlabel("round")
    rates.set_xticks(range(1, len(runs[STREAM]) + 1))
    rates.set_ylim(bottom=0)
    cpu.set_title("CPU ms a comment")
    cpu.margins(y=0.15)
    for axes in (rates, cpu):
        axes.legend()


if __name__ == "__main__":
    sys.exit(main())
