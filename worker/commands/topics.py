"""`sluice topics`: creates the topics a worker works with, or reports how they differ from what the worker needs."""

import argparse
import json
import random
import sys
import time
from dataclasses import asdict

from worker.commands.arguments import positive
from worker.errors import SluiceError
from worker.settings import Settings

EXAMPLE = "sluice topics --partitions 12 --replication 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--partitions",
        type=positive,
        default=6,
        metavar="N",
        help="partitions of new topics: the maximum number of workers (6)",
    )
    parser.add_argument(
        "--replication", type=positive, metavar="N", help="replicas of each partition (the brokers' default)"
    )
    parser.add_argument("--check", action="store_true", help="create nothing, only check; exit 1 if anything differs")
    parser.add_argument("--json", action="store_true", help="print one JSON object for each topic")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Create missing topics and report what was found."""
    from worker.kafka.topics import Topics

    topics = Topics(settings, clock=time.monotonic, sleep=time.sleep, uniform=random.uniform)
    reports = topics.ensure(
        partitions=arguments.partitions, replication=arguments.replication, create=not arguments.check
    )
    for report in reports:
        if arguments.json:
            sys.stdout.write(json.dumps(asdict(report)) + "\n")
            continue
        state = ("missing" if arguments.check else "created") if report.created else "found"
        sys.stdout.write(f"{report.name}: {state}, {report.partitions} partitions\n")
        for difference in report.differences:
            sys.stdout.write(f"  {difference}\n")
    differ = [report.name for report in reports if report.differences or (arguments.check and report.created)]
    if arguments.check and differ:
        message = f"these topics differ from what the worker needs: {', '.join(differ)}"
        raise SluiceError(message)
