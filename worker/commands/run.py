"""`sluice run`: runs the worker."""

import argparse
import sys

from worker.settings import Settings

EXAMPLE = "sluice run --bootstrap-servers broker:9092 --group moderation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has only the settings."""
    del parser


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then drain; a line at the bottom of a terminal says how it goes."""
    from worker.run import run as work
    from worker.settings.configuration import load
    from worker.terminal.status_line import status_line

    origins = arguments.origins

    def reread() -> Settings:
        return load(origins.config, origins.flags, origins.env_file)

    if not sys.stderr.isatty():
        work(settings, reread=reread)
        return
    with status_line(sys.stderr) as line:
        work(settings, report=line.show, reread=reread)
