"""`sluice doctor`: looks at the topics, their limits and the rights of this principal, and says what to fix."""

import argparse
import json
import sys

from worker.errors import SluiceError
from worker.settings import Settings

EXAMPLE = "sluice doctor --bootstrap-servers broker:9092"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object a finding")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Look, and exit 1 if anything is not as the worker needs it."""
    from worker.kafka.preflight import Preflight, Severity

    findings = Preflight(settings).look()
    for finding in findings:
        line = json.dumps(finding._asdict()) if arguments.json else f"{finding.severity}: {finding.text}"
        sys.stdout.write(line + "\n")
    troubles = sum(finding.severity is not Severity.OK for finding in findings)
    if troubles:
        message = f"{troubles} of {len(findings)} findings need a look"
        raise SluiceError(message)
