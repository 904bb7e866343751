"""`sluice page`: shows the stream, its scores and its dead letters in a browser."""

import argparse
from importlib.util import find_spec
from pathlib import Path

from worker.errors import SettingsInvalid
from worker.settings import PageSettings, Settings

EXAMPLE = "sluice page --bootstrap-servers broker:9092 --worker http://worker-1:8080"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments; each stands for a setting of the section page."""
    parser.add_argument(
        "--host", metavar="ADDRESS", help="listen here (page.host); beyond this machine needs page.token"
    )
    parser.add_argument("--port", type=int, metavar="N", help="listen here (page.port)")
    parser.add_argument(
        "--allow-replay", action="store_true", help="readers may send dead letters back (page.allow_replay)"
    )
    parser.add_argument(
        "--worker",
        action="append",
        metavar="URL",
        help="where a worker serves /metrics (page.workers); may be repeated",
    )
    parser.add_argument(
        "--demo", action="store_true", help="with a broker of its own, a worker and sample comments without end"
    )
    parser.add_argument("--labelled", type=Path, metavar="FILE", help="labelled comments (page.labelled)")


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Serve the page until Ctrl-C; it reads the topics without a group and commits nothing."""
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        message = f"the page needs {' and '.join(missing)}: install the extra, pip install 'sluice-worker[page]'"
        raise SettingsInvalid(message)
    from worker.page.serve import serve

    settings = settings.model_copy(update={"page": _page(arguments, settings)})
    if not arguments.demo:
        serve(settings)
        return
    from worker.page.demonstration import Demonstration

    with Demonstration(settings) as demonstration:
        serve(demonstration.settings)


def _page(arguments: argparse.Namespace, settings: Settings) -> PageSettings:
    """The section with what the arguments say."""
    from pydantic import ValidationError

    given = {
        "host": arguments.host,
        "port": arguments.port,
        "allow_replay": arguments.allow_replay or None,
        "workers": arguments.worker,
        "labelled": arguments.labelled,
    }
    values = settings.page.model_dump() | {name: value for name, value in given.items() if value is not None}
    try:
        return PageSettings.model_validate(values)
    except ValidationError as error:
        lines = [
            ".".join(["page", *map(str, one["loc"])]) + ": " + one["msg"].removeprefix("Value error, ")
            for one in error.errors(include_input=False)
        ]
        raise SettingsInvalid("\n".join(lines)) from None
