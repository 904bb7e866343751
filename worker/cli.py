"""The command line: parse, call, print. No logic.

A command is a module of `worker.commands` with `SUMMARY`, `EXAMPLE`, `add_arguments(parser)` and
`run(arguments, settings)`. Only the module of the command that is called is imported, and it imports what is heavy when
it runs, so that `sluice --help` answers at once.
"""

import argparse
import importlib
import logging
import sys
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

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
    "doctor": "looks at topics, limits and rights, and says what to fix",
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


SHELLS = ("bash", "zsh")


class _Completion(argparse.Action):
    """Prints the shell's completion script and exits, as `--version` does.

    shtab writes it from the parsers, once: nothing of ours runs when the tab key is pressed, as argcomplete would need.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> NoReturn:
        del parser, namespace, option_string
        import shtab  # noqa: PLC0415 - only here

        sys.stdout.write(shtab.complete(whole_parser(), values) + "\n")
        raise SystemExit(0)


def dispatch(arguments: Sequence[str]) -> None:
    """Parse the arguments and run their command. Settings may stand before the command, after it, or both.

    Raises:
        SluiceError: The command ended with a fault.
        SystemExit: `--help`, `--version`, or arguments that make no command (exit code 2).
    """
    before, name, rest = _named(arguments)
    command = _module(name)
    after = _command_parser(name, command).parse_args(rest)

    from worker.configuration import default_env_file, load  # noqa: PLC0415 - pydantic takes a while, and `sluice --help` needs none
    from worker.observability.logs import configure_logs  # noqa: PLC0415
    from worker.setting_origins import Origins  # noqa: PLC0415

    flags = {**_flags(before), **_flags(after)}
    with warnings.catch_warnings(record=True) as renamed:
        warnings.simplefilter("always", FutureWarning)
        config, env_file = after.config or before.config, after.env_file or before.env_file
        settings = load(config, flags, env_file)
    after.origins = Origins(config, flags, env_file or default_env_file())
    configure_logs(settings.log)
    for warning in renamed:
        logging.getLogger(__name__).warning("%s", warning.message)
    command.run(after, settings)


def whole_parser() -> argparse.ArgumentParser:
    """All commands under one parser, for what reads parsers: shell completion and the documentation."""
    parser = argparse.ArgumentParser(prog="sluice", allow_abbrev=False)
    _add_settings(parser)
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, summary in COMMANDS.items():
        _fill(commands.add_parser(name, help=summary, allow_abbrev=False), _module(name))
    return parser


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"worker.commands.{name.replace('-', '_')}")


def _named(arguments: Sequence[str]) -> tuple[argparse.Namespace, str, list[str]]:
    """What stands before the command, the command, and what stands after it."""
    parser = _front_parser()
    before, misplaced = parser.parse_known_args(arguments)
    if misplaced:
        option = misplaced[0]
        example = next((word for word in before.command if word in COMMANDS), "COMMAND")
        parser.error(f"{option} is no setting; an option of a command stands after it: sluice {example} {option} ...")
    if not before.command:
        parser.error("name a command, for example: sluice demo --count 20")
    name, *rest = before.command
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        suggestion = f"did you mean {near[0]}?" if near else "sluice --help lists them"
        parser.error(f"that is no command; {suggestion}")  # not quoted: it may be a comment, classify forgotten
    return before, name, rest


def _front_parser() -> argparse.ArgumentParser:
    # Options are never guessed from their beginning: --input would be taken for --input-topic.
    parser = argparse.ArgumentParser(
        prog="sluice",
        usage="%(prog)s [SETTINGS] COMMAND ...",
        description="Labels comments from a Kafka topic with a multi-label model.",
        epilog="example: sluice demo --count 20",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sluice {__version__}")
    parser.add_argument(
        "--completion", action=_Completion, choices=SHELLS, help="print completion of commands and options for a shell"
    )
    listing = "\n".join(f"  {name:<14}{summary}" for name, summary in COMMANDS.items())
    commands = parser.add_argument_group("commands", f"{listing}\n\n  sluice COMMAND --help tells more.")
    commands.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    _add_settings(parser)
    return parser


def _command_parser(name: str, command: ModuleType) -> argparse.ArgumentParser:
    summary = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"sluice {name}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"example: {command.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _fill(parser, command)
    return parser


def _fill(parser: argparse.ArgumentParser, command: ModuleType) -> None:
    command.add_arguments(parser)
    _add_settings(parser)


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


def _flags(parsed: argparse.Namespace) -> dict[str, Any]:
    """Values by dotted name."""
    flags = {name: getattr(parsed, name) for name, _ in _FLAGS.values() if getattr(parsed, name) is not None}
    return {**dict(parsed.set), **flags}
