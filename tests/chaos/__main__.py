"""`python -m tests.chaos --seconds 120 --seed 1`: exits 1 when a promise was broken, and names what is missing."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from testkit.kafka import find_kafka_home
from tests.chaos.cluster import Cluster
from tests.chaos.plan import KINDS, Fault, kinds_named
from tests.chaos.run import ChaosRun, Options

GUARANTEES = ("at-least-once", "exactly-once")
_SECONDS_PER_FAULT = 5.0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long events are sent, all modes together")
    parser.add_argument("--seed", type=int, default=1, help="of the stream and the faults")
    parser.add_argument("--events", type=int, help="how many events each mode sends at most")
    parser.add_argument("--guarantee", choices=[*GUARANTEES, "both"], default="both")
    parser.add_argument("--group-protocol", choices=["classic", "consumer"], default="classic")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--faults", type=int, help="how many in each mode; default: one in five seconds")
    parser.add_argument(
        "--kinds",
        type=kinds_named,
        default="all",
        metavar="NAMES",
        help=f"kinds of fault, with commas between: {', '.join(KINDS)}, or one of {', '.join(Fault)} (default: all)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the results there as JSON")
    return parser.parse_args()


def main() -> int:
    """Run each mode asked for on one cluster; 0 when every promise was kept."""
    arguments = _arguments()
    home = find_kafka_home(os.environ)
    if isinstance(home, str):
        sys.stderr.write(f"no chaos run: {home}\n")
        return 2
    guarantees = GUARANTEES if arguments.guarantee == "both" else (arguments.guarantee,)
    seconds = arguments.seconds / len(guarantees)
    faults = arguments.faults if arguments.faults is not None else int(seconds / _SECONDS_PER_FAULT)
    # As Ctrl-C does: disks must be unmounted, or thawed, before this process ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    reports = []
    with Cluster(home) as cluster:
        for guarantee in guarantees:
            options = Options(
                seconds=seconds,
                seed=arguments.seed,
                events=arguments.events,
                faults=faults,
                kinds=arguments.kinds,
                workers=arguments.workers,
                guarantee=guarantee,
                protocol=arguments.group_protocol,
            )
            report = asyncio.run(ChaosRun(cluster, options).run())
            print("\n".join(report.lines), flush=True)
            reports.append(report)
            if arguments.report:
                arguments.report.write_text(json.dumps([r.document for r in reports], indent=2), encoding="utf-8")
            if report.gave_up:
                break  # the cluster may be as broken as the run
    return 1 if any(report.failures for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
