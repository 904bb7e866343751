"""`sluice run`: runs the worker."""

import argparse

from worker.settings import Settings

EXAMPLE = "sluice run --bootstrap-servers broker:9092 --group moderation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has only the settings."""
    del parser


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then drain."""
    del arguments
    from worker.run import run as work

    work(settings)
