import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from transformers.utils import logging as transformers_logging

from worker.kafka.client.properties import LIBRARY_LOG
from worker.observability.logs import adopt_logger, configure_logs
from worker.settings import LogFormat, LogLevel, LogSettings

COMMENT_TEXT = "a comment nobody may read in a log"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers, root.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def log_as_worker() -> Any:
    return structlog.get_logger("worker.loop")


def test_off_a_terminal_each_event_is_one_json_line() -> None:
    out = io.StringIO()
    configure_logs(LogSettings(), out)
    log_as_worker().info("batch committed", records=3, topic="comments")
    (event,) = lines(out)
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "batch committed",
        "records": 3,
        "topic": "comments",
        "level": "info",
        "logger": "worker.loop",
    }


def test_a_terminal_gets_readable_lines() -> None:
    out = Terminal()
    configure_logs(LogSettings(), out)
    log_as_worker().info("batch committed")
    assert "batch committed" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_a_format_that_is_named_wins_over_the_terminal() -> None:
    out = Terminal()
    configure_logs(LogSettings(format=LogFormat.JSON), out)
    log_as_worker().info("hello")
    assert lines(out)[0]["event"] == "hello"


def test_standard_library_logs_are_rendered_the_same_way() -> None:
    out = io.StringIO()
    configure_logs(LogSettings(), out)
    LIBRARY_LOG.info("broker %s is up", "b1")
    logging.getLogger("somelib").warning("careful", extra={"attempt": 2})
    warnings.warn("this will go", UserWarning, stacklevel=1)
    first, second, third = lines(out)
    assert (first["logger"], first["event"]) == (LIBRARY_LOG.name, "broker b1 is up")
    assert (second["level"], second["attempt"]) == ("warning", 2)
    assert third["logger"] == "py.warnings"


def test_levels_apply_to_us_and_libraries_log_from_warning_up() -> None:
    out = io.StringIO()
    configure_logs(LogSettings(level=LogLevel.INFO), out)
    log_as_worker().debug("too fine")
    logging.getLogger("somelib").info("chatter")
    assert out.getvalue() == ""
    configure_logs(LogSettings(level=LogLevel.DEBUG), out)
    log_as_worker().debug("fine")
    logging.getLogger("somelib").debug("chatter")
    assert [event["event"] for event in lines(out)] == ["fine", "chatter"]


@pytest.mark.parametrize("format_", [LogFormat.JSON, LogFormat.CONSOLE])
def test_a_traceback_shows_no_local_variable(format_: LogFormat) -> None:
    out = io.StringIO()
    configure_logs(LogSettings(format=format_), out)

    def fail(text: str) -> None:
        message = f"cannot read {len(text)} characters"
        raise ValueError(message)

    try:
        fail(COMMENT_TEXT)
    except ValueError:
        log_as_worker().exception("failed")
    assert "cannot read 34 characters" in out.getvalue()
    assert "in fail" in out.getvalue() or '"name": "fail"' in out.getvalue()
    assert COMMENT_TEXT not in out.getvalue()


def test_fields_that_could_hold_a_text_are_withheld() -> None:
    out = io.StringIO()
    configure_logs(LogSettings(), out)
    log_as_worker().warning("odd", text=COMMENT_TEXT, comment={"text": COMMENT_TEXT})
    logging.getLogger("somelib").warning("odd", extra={"payload": COMMENT_TEXT})
    assert COMMENT_TEXT not in out.getvalue()
    assert lines(out)[0]["text"] == "[withheld]"


def test_transformers_logs_are_rendered_the_same_way(capfd: pytest.CaptureFixture[str]) -> None:
    library = transformers_logging.get_logger("transformers.models.bert")  # brings a handler for stderr
    out = io.StringIO()
    configure_logs(LogSettings(), out)
    adopt_logger("transformers")
    library.warning("heard once")
    assert capfd.readouterr() == ("", "")
    assert [event["event"] for event in lines(out)] == ["heard once"]
