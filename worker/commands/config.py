"""`sluice config`: the effective settings, secrets masked."""

import argparse
import json
import sys

from worker.configuration import shown
from worker.settings import Settings

EXAMPLE = "sluice config --config sluice.toml"

_SILENT = {"log_level": 0}
"""A client begins to connect as soon as it is made; a broker that is away is no fault of the settings."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Print the settings; loading them has checked them, librdkafka checks its own properties."""
    from confluent_kafka import Consumer, Producer

    from worker.kafka.client.properties import consumer_properties, make_client, producer_properties

    make_client(Consumer, {**consumer_properties(settings), **_SILENT}).close()
    make_client(Producer, {**producer_properties(settings), **_SILENT})
    values = shown(settings)
    if arguments.json:
        sys.stdout.write(json.dumps(values) + "\n")
        return
    for section, fields in values.items():
        sys.stdout.write(f"[{section}]\n")
        for name, value in fields.items():
            sys.stdout.write(f"{name} = {json.dumps(value)}\n")
        sys.stdout.write("\n")
