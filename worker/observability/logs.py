"""Logs: structured lines on stderr, with the libraries' own logs routed through the same renderer.

A comment's text is personal data and never belongs in a log. So tracebacks are rendered without local variables, and
fields that could hold a text are withheld whatever they hold.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from worker.settings import LogFormat, LogLevel, LogSettings

OWN_LOGGERS = ("worker",)
"""Loggers that are heard from the level of the settings up; librdkafka's messages come through one of ours."""
WITHHELD_FIELDS = frozenset({"text", "comment", "payload"})
WITHHELD = "[withheld]"


def configure_logs(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send every log line of the process, from structlog and from `logging`, to `stream` (default stderr).

    `auto` is readable on a terminal and JSON lines elsewhere. Libraries are heard from WARNING up, so that one HTTP
    request of a hub download isn't a line; at `debug` they are heard in full. Calling it again replaces what was set.
    """
    out = stream if stream is not None else sys.stderr
    console = settings.format is LogFormat.CONSOLE or (settings.format is LogFormat.AUTO and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        withhold_text,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_console(colors=out.isatty()) if console else _json()),
            ],
        )
    )
    level = logging.getLevelNamesMapping()[settings.level.value.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level if settings.level is LogLevel.DEBUG else max(level, logging.WARNING))
    for name in OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=True)


def adopt_logger(name: str) -> None:
    """Route a library that brought its own handler (say, "transformers", once imported) through ours."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def withhold_text(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: replace fields that by their name could hold a comment's text."""
    for field in WITHHELD_FIELDS & event.keys():
        event[field] = WITHHELD
    return event


def _console(*, colors: bool) -> list[Processor]:
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)]


def _json() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        structlog.processors.UnicodeDecoder(),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
