"""The command line: parse, call, print. No logic.

A command is a module of `worker.commands` with `SUMMARY`, `EXAMPLE`, `add_arguments(parser)` and
`run(arguments, settings)`. Only the module of the command that is called is imported, and it imports what is heavy when
it runs, so that `sluice --help` answers at once.
"""

import argparse
import importlib
import logging
import shutil
import sys
import textwrap
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from worker import __version__
from worker.command_list import COMMANDS, FLAGS, GROUPS, ONE_OFF, flags_that_matter

ONE_OFF_NO_BROKER_SECONDS = 10.0
"""Replaces the default of `kafka.no_broker_seconds` for commands that somebody waits for."""

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

    from worker.observability.logs import configure_logs  # noqa: PLC0415 - so that `--help` is immediate
    from worker.settings.configuration import default_env_file, load  # noqa: PLC0415 - pydantic takes a while, and `sluice --help` needs none
    from worker.settings.origins import Origins  # noqa: PLC0415 - so that `--help` is immediate

    flags = {**_flags(before), **_flags(after)}
    with warnings.catch_warnings(record=True) as renamed:
        warnings.simplefilter("always", FutureWarning)
        config, env_file = after.config or before.config, after.env_file or before.env_file
        settings = load(config, flags, env_file)
    after.origins = Origins(config, flags, env_file or default_env_file())
    if name in ONE_OFF and after.origins.of("kafka.no_broker_seconds") == "default":
        kafka = settings.kafka.model_copy(update={"no_broker_seconds": ONE_OFF_NO_BROKER_SECONDS})
        settings = settings.model_copy(update={"kafka": kafka})
    configure_logs(settings.log)
    for warning in renamed:
        logging.getLogger(__name__).warning("%s", warning.message)
    command.run(after, settings)


def whole_parser() -> argparse.ArgumentParser:
    """All commands under one parser, for what reads parsers: shell completion and the documentation."""
    parser = argparse.ArgumentParser(prog="sluice", allow_abbrev=False)
    _add_settings(parser, shown=True)
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, allow_abbrev=False)
        _module(name).add_arguments(command)
        _add_settings(command, shown=True)
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
        parser.print_help(sys.stderr)
        parser.exit(2, "\nsluice: name a command, for example: sluice demo --count 20\n")
    name, *rest = before.command
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        meant = f"--{name}" if name in ("help", "version") else near[0] if near else ""
        suggestion = f"did you mean {meant}?" if meant else "sluice --help lists them"
        parser.error(f"that is no command; {suggestion}")  # not quoted: it may be a comment, classify forgotten
    return before, name, rest


def _front_parser() -> argparse.ArgumentParser:
    # Options are never guessed from their beginning: --input would be taken for --input-topic.
    parser = argparse.ArgumentParser(
        prog="sluice",
        usage=f"%(prog)s [--version] [--completion {{{','.join(SHELLS)}}}] [SETTINGS] COMMAND ...",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_LISTING,
        add_help=False,
        allow_abbrev=False,
    )
    hidden = argparse.SUPPRESS  # the description names them: a line each would push the commands off the screen
    parser.add_argument("-h", "--help", action="help", help=hidden)
    parser.add_argument("--version", action="version", version=f"sluice {__version__}", help=hidden)
    parser.add_argument("--help-settings", action=_HelpOfSettings, nargs=0, help=hidden)
    parser.add_argument("--completion", action=_Completion, choices=SHELLS, help=hidden)
    parser.add_argument("command", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    _add_settings(parser, shown=False)
    return parser


_ABOUT = "Labels comments from a Kafka topic. More: COMMAND --help, --help-settings."

_LISTING = "\n".join(
    f"{title}:\n" + "\n".join(f"  {name:<14}{summary}" for name, summary in commands.items())
    for title, commands in GROUPS.items()
)
"""The commands come last: they are still there when the page is longer than the screen."""


class _HelpOfSettings(argparse.Action):
    """Prints the flags that stand for settings and exits."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> NoReturn:
        del parser, namespace, values, option_string
        settings = argparse.ArgumentParser(
            prog="sluice", usage="%(prog)s [SETTINGS] COMMAND [SETTINGS] ...", add_help=False
        )
        _add_settings(settings, shown=True)
        settings.print_help()
        raise SystemExit(0)


def _command_parser(name: str, command: ModuleType) -> argparse.ArgumentParser:
    summary = COMMANDS[name]
    flags = " ".join(flags_that_matter(name))
    settings = textwrap.fill(
        f"settings: --config FILE, --set SECTION.NAME=VALUE, {flags} ...; sluice --help-settings has them all",
        width=_columns(),
        subsequent_indent="  ",
        break_on_hyphens=False,
    )
    parser = argparse.ArgumentParser(
        prog=f"sluice {name}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"{settings}\n\nexample: {command.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    _add_settings(parser, shown=False)
    return parser


def _columns() -> int:
    return shutil.get_terminal_size().columns - 2  # as argparse does


def _add_settings(parser: argparse.ArgumentParser, *, shown: bool) -> None:
    def described(text: str) -> str:
        return text if shown else argparse.SUPPRESS

    group = parser.add_argument_group(
        "settings", "flags win over --config, .env and the environment, in that order" if shown else None
    )
    group.add_argument("--config", type=Path, metavar="FILE", help=described("TOML file with a table for each section"))
    group.add_argument(
        "--env-file", type=Path, metavar="FILE", help=described("file of SLUICE_... lines (default: .env)")
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="SECTION.NAME=VALUE",
        help=described("any setting, for example --set batch.max_records=64; may be repeated"),
    )
    for flag, (name, what) in FLAGS.items():
        group.add_argument(flag, dest=name, metavar="VALUE", help=described(f"{what} ({name})"))


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        message = "write SECTION.NAME=VALUE"
        raise argparse.ArgumentTypeError(message)
    return name, value


def _flags(parsed: argparse.Namespace) -> dict[str, Any]:
    """Values by dotted name."""
    flags = {name: getattr(parsed, name) for name, _ in FLAGS.values() if getattr(parsed, name) is not None}
    return {**dict(parsed.set), **flags}
