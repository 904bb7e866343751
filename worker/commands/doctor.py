"""`sluice doctor`: checks the topics, their limits and this principal's permissions, and reports what to fix."""

import argparse
import json
import sys

from worker.errors import SluiceError
from worker.settings import Settings

EXAMPLE = "sluice doctor --bootstrap-servers broker:9092"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object for each finding")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Check everything, and exit with 1 if anything differs from what the worker needs."""
    from worker.kafka.preflight import Preflight, Severity

    findings = Preflight(settings, thorough=True).look()
    for finding in findings:
        line = json.dumps(finding._asdict()) if arguments.json else f"{finding.severity}: {finding.text}"
        sys.stdout.write(line + "\n")
    problems = sum(finding.severity is not Severity.OK for finding in findings)
    if problems:
        message = f"{problems} of {len(findings)} findings need attention"
        raise SluiceError(message)
