"""What is left of offline speed in the stream: `sluice run` beside the same model without Kafka.

python -m benchmarks.stream --data validation.csv --comments 4000 --rounds 3

In alternating rounds, each in a process of its own: `benchmarks.offline` on the texts, and the worker on a topic that
already holds them, with the broker (KAFKA_HOME) on the same machine. A run of the worker before is not counted: a
broker just started spends a fifth of a core on compiling itself. Both take `SLUICE_MODEL__...` and `SLUICE_BATCH__...`
from the environment. A rate is a slope between 10 % and 95 % of the comments (`benchmarks.steady_rate`): in the stream
over the broker's append times of the label events, offline over the moments when a batch was scored.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, TopicPartition

from benchmarks.machine import machine
from benchmarks.processes import cpu_seconds
from benchmarks.results import BESIDE, OURS, THEIRS, save
from benchmarks.steady_rate import Measured, Point, TooShort, measure
from benchmarks.texts import read_texts
from testkit.kafka import Kafka, die_with_parent, find_kafka_home, free_ports
from testkit.stream import Topics
from worker.setting_origins import variable

OFFLINE, STREAM = "offline", "stream"
TARGET = 0.95
PARTITIONS = 6
_LOOK_SECONDS = 0.5
_NOTHING_NEW_SECONDS = 180.0
_END_SECONDS = 60.0
_SHARED_SETTINGS = ("SLUICE_MODEL__", "SLUICE_BATCH__")
_IN_MODEL = "sluice_inference_duration_seconds_sum "


def main() -> int:
    """Run the benchmark, print the table, write JSON and plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--comments", type=int, default=4000, help="comments in each run (default: 4000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each of the two runs (default: 3)")
    parser.add_argument("--data", type=Path, help="CSV with a `text` column, or its folder (default: SLUICE_DATA)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the JSON and plot")
    arguments = parser.parse_args()
    home = find_kafka_home(os.environ)
    if isinstance(home, str):
        sys.stderr.write(f"stream: left out: {home}\n")
        return 0
    facts = machine()
    texts = list(islice(cycle(read_texts(arguments.data)), arguments.comments))
    runs: dict[str, list[Measured]] = {OFFLINE: [], STREAM: []}
    with Kafka(home, nodes=1) as kafka:
        run_stream(kafka, texts)
        contenders = {OFFLINE: lambda: run_offline(texts), STREAM: lambda: run_stream(kafka, texts)}
        for number in range(arguments.rounds):
            for name in list(contenders) if number % 2 == 0 else list(contenders)[::-1]:
                try:
                    measured = measure(contenders[name]())
                except TooShort as error:
                    sys.exit(f"stream: {error}: give more --comments")
                runs[name].append(measured)
                sys.stderr.write(f"{name}: {measured.rate:,.0f}/s, {measured.cpu_milliseconds:.2f} ms CPU a comment\n")
    report = {
        "machine": facts,
        "settings": {name: value for name, value in os.environ.items() if name.startswith(_SHARED_SETTINGS)},
        "comments": arguments.comments,
        "rounds": arguments.rounds,
        "kept": kept(runs),
        "runs": {name: [asdict(run) for run in of_one] for name, of_one in runs.items()},
    }
    print_table(runs, facts)
    save(arguments.out, "stream", report, lambda figure: draw(figure, runs))
    return 0


def run_offline(texts: Sequence[str]) -> dict[str, list[Point]]:
    """The course of a run without Kafka."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.offline"],
        input=json.dumps(texts),
        env=_environment({}),
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
    """The course of a worker that finds all the texts in its topic."""
    topics = Topics(kafka, PARTITIONS, **{"message.timestamp.type": "LogAppendTime"})
    topics.fill(json.dumps({"id": f"c-{number}", "text": text}).encode() for number, text in enumerate(texts))
    (port,) = free_ports(1)
    settings = {
        **topics.settings,
        "kafka.bootstrap_servers": kafka.bootstrap_servers,
        "http.host": "127.0.0.1",
        "http.port": port,
        "log.level": "warning",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "worker", "run"],
        env=_environment(settings),
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs in the child before exec
    ) as worker:
        try:
            used = _watch(worker, kafka, topics, port, len(texts))
        finally:
            worker.terminate()
            try:
                worker.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
    if worker.returncode != 0:
        sys.exit(f"stream: the worker ended with exit code {worker.returncode} when asked to stop")
    return used | _events(topics, len(texts))


def _environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Of both contenders: theirs to share, and no other settings than these."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLUICE_") or name.startswith(_SHARED_SETTINGS)
    } | {variable(name): str(value) for name, value in settings.items()}


def _watch(
    worker: subprocess.Popen[bytes], kafka: Kafka, topics: Topics, port: int, comments: int
) -> dict[str, list[Point]]:
    """What worker and broker use, look by look from the first event on, until as many as `comments` are out."""
    curves: dict[str, list[Point]] = {"cpu_seconds": [], "model_seconds": [], "broker_cpu_seconds": []}
    watcher = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": "watcher"})
    events, changed_at = 0, time.monotonic()
    try:
        while events < comments:
            time.sleep(_LOOK_SECONDS)
            if worker.poll() is not None:
                sys.exit(f"stream: the worker ended by itself with exit code {worker.returncode}")
            before, events = events, _count(watcher, topics.output)
            if events > before:
                changed_at = time.monotonic()
            elif time.monotonic() - changed_at > _NOTHING_NEW_SECONDS:
                sys.exit(f"stream: no label event for {_NOTHING_NEW_SECONDS:g} s, after {events} of {comments}")
            if events:
                # Each amount with its own moment: on a busy machine the looks are not instants.
                curves["cpu_seconds"].append((time.time(), cpu_seconds(worker.pid)))
                curves["broker_cpu_seconds"].append((time.time(), cpu_seconds(kafka.nodes[0].pid)))
                curves["model_seconds"].append((time.time(), _model_seconds(port)))
    finally:
        watcher.close()
    return curves


def _count(watcher: Consumer, topic: str) -> int:
    ends = (watcher.get_watermark_offsets(TopicPartition(topic, number), timeout=10) for number in range(PARTITIONS))
    return sum(end[1] for end in ends if end)


def _model_seconds(port: int) -> float:
    """Time that batches were in the model so far, from the worker's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_END_SECONDS) as answer:
        lines: list[str] = answer.read().decode().splitlines()
    return next(float(line.removeprefix(_IN_MODEL)) for line in lines if line.startswith(_IN_MODEL))


def _events(topics: Topics, comments: int) -> dict[str, list[Point]]:
    """Label events and their tokens over the broker's append time; ends the program unless there is one a comment."""
    events: list[tuple[float, str, int]] = []
    for message in topics.read(topics.output):
        kind, milliseconds = message.timestamp()
        assert kind == TIMESTAMP_LOG_APPEND_TIME  # noqa: S101 - the topic was made so
        event = json.loads(message.value() or b"")
        events.append((milliseconds / 1000, event["comment"]["id"], event["text"]["tokens"]))
    if len(events) != comments or len({comment for _, comment, _ in events}) != comments or not topics.is_done():
        sys.exit(f"stream: {len(events)} label events for {comments} comments: each needs one, committed")
    curves: dict[str, list[Point]] = {"comments": [], "tokens": []}
    tokens = 0
    for number, (at, _, of_one) in enumerate(sorted(events), 1):
        tokens += of_one
        curves["comments"].append((at, number))
        curves["tokens"].append((at, tokens))
    return curves


def kept(runs: Mapping[str, Sequence[Measured]]) -> dict[str, list[float]]:
    """Of each round: the stream's share of the offline rate in comments and in tokens, and how much CPU it takes."""
    rounds = list(zip(runs[OFFLINE], runs[STREAM], strict=True))
    return {
        "rate": [stream.rate / offline.rate for offline, stream in rounds],
        "token_rate": [stream.token_rate / offline.token_rate for offline, stream in rounds],
        "cpu": [stream.cpu_milliseconds / offline.cpu_milliseconds for offline, stream in rounds],
    }


def print_table(runs: Mapping[str, Sequence[Measured]], facts: Mapping[str, Any]) -> None:
    """The table, as Markdown."""
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
    """Rates of every round, and where the CPU goes."""
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
