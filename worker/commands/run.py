"""`sluice run`: the worker."""

import argparse

from worker.settings import Settings

EXAMPLE = "sluice run --bootstrap-servers broker:9092 --group moderation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None beyond the settings."""
    del parser


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then drain."""
    del arguments
    from worker.run import run as work  # noqa: PLC0415 - Kafka and metrics are not needed for --help

    work(settings)
