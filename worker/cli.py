"""The command line: parse, call, print. No logic.

A command is a module of `worker.commands` with `SUMMARY`, `EXAMPLE`, `add_arguments(parser)` and
`run(arguments, settings)`. Only the module of the command that is called is imported, and it imports what is heavy when
it runs, so that `sluice --help` answers at once.
"""

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from worker import __version__

COMMANDS = {
    "run": "the worker: comments in, label events out, until SIGTERM or SIGINT",
    "demo": "embedded broker, sample comments, worker, live table; no service needed",
    "classify": "labels texts without Kafka",
    "produce": "sends comments from a file to the input topic",
    "watch": "follows the label events",
    "dead-letters": "reads dead letters, or sends them back to their topic",
    "evaluate": "quality on labelled data, per label",
    "thresholds": "chooses per-label thresholds from labelled data",
    "quantize": "tries a model in int8 on labelled data, and allows it if nothing is lost",
    "config": "shows the effective settings and checks them",
    "topics": "creates the three topics, or says how they differ",
}

_FLAGS = {
    "--bootstrap-servers": ("kafka.bootstrap_servers", "brokers to ask first"),
    "--group": ("kafka.group_id", "consumer group"),
    "--input-topic": ("input.topic", "topic of the comments"),
    "--output-topic": ("output.topic", "topic of the label events"),
    "--dead-letter-topic": ("dead_letters.topic", "topic of the dead letters"),
    "--model": ("model.id", "embedded name, hub name or folder"),
    "--revision": ("model.revision", "revision on the hub"),
    "--precision": ("model.precision", "auto, float32, bfloat16 or int8"),
    "--log-level": ("log.level", "debug, info, warning or error"),
}


def dispatch(arguments: Sequence[str]) -> None:
    """Parse the arguments and run their command.

    Raises:
        SluiceError: The command ended with a fault.
        SystemExit: `--help`, `--version`, or arguments that make no command (exit code 2).
    """
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser, command = _parser(named)
    parsed = parser.parse_args(arguments)
    if command is None:
        parser.error("name a command")

    from worker.configuration import load  # noqa: PLC0415 - pydantic is not needed for --help
    from worker.observability.logs import configure_logs  # noqa: PLC0415

    settings = load(parsed.config, _overrides(parsed), parsed.env_file)
    configure_logs(settings.log)
    command.run(parsed, settings)


def _parser(named: str | None) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    """The parser, with the arguments of the named command alone filled in, and that command's module."""
    parser = argparse.ArgumentParser(
        prog="sluice",
        description="Labels comments from a Kafka topic with a multi-label model.",
        epilog="example: sluice demo --count 20",
    )
    parser.add_argument("--version", action="version", version=f"sluice {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    module = None
    for name, summary in COMMANDS.items():
        if name != named:
            commands.add_parser(name, help=summary, add_help=False)
            continue
        module = importlib.import_module(f"worker.commands.{name.replace('-', '_')}")
        own = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(own)
        _add_settings(own)
    return parser, module


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings", "flags win over --config, .env and the environment, in that order")
    group.add_argument("--config", type=Path, metavar="FILE", help="TOML file with a table for each section")
    group.add_argument("--env-file", type=Path, metavar="FILE", help="file of SLUICE_... lines (default: .env)")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="SECTION.NAME=VALUE",
        help="any setting, for example --set batch.max_records=64; may be repeated",
    )
    for flag, (name, what) in _FLAGS.items():
        group.add_argument(flag, dest=name, metavar="VALUE", help=f"{what} ({name})")


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        message = "write SECTION.NAME=VALUE"
        raise argparse.ArgumentTypeError(message)
    return name, value


def _overrides(parsed: argparse.Namespace) -> dict[str, Any]:
    flags = {name: getattr(parsed, name) for name, _ in _FLAGS.values() if getattr(parsed, name) is not None}
    return {**dict(parsed.set), **flags}
