"""`sluice doctor`: checks the topics, permissions and schema registry, and reports what to fix."""

import argparse
import json
import sys
from collections.abc import Iterator

from worker.errors import SluiceError
from worker.findings import Finding, Severity
from worker.settings import Settings

EXAMPLE = "sluice doctor --bootstrap-servers broker:9092"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object for each finding")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Check everything, print each finding as it is found, and exit with 1 if anything differs from what is needed."""
    findings = []
    for finding in _look(settings):
        findings.append(finding)
        line = json.dumps(finding._asdict()) if arguments.json else f"{finding.severity}: {finding.text}"
        sys.stdout.write(line + "\n")
    problems = sum(finding.severity is not Severity.OK for finding in findings)
    if problems:
        message = f"{problems} of {len(findings)} findings need attention"
        raise SluiceError(message)


def _look(settings: Settings) -> Iterator[Finding]:
    """The registry first: what it says is known even where no broker answers."""
    from worker.formats.registry_check import look_at_registry
    from worker.kafka.preflight import Preflight

    yield from look_at_registry(settings)
    yield from Preflight(settings, thorough=True).look()
