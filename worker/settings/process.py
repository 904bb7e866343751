"""The settings of the process itself: its HTTP server and its logs."""

from enum import StrEnum

from pydantic import Field

from worker.settings.fields import Section


class LogFormat(StrEnum):
    """`auto` is readable on a terminal and JSON lines elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """Least severe level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class HttpSettings(Section):
    """The server of /livez, /readyz and /metrics."""

    host: str = Field("0.0.0.0", min_length=1, description="Address to listen on")  # noqa: S104 - probes come from outside
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0: none is opened")


class LogSettings(Section):
    """Logs go to stderr and never hold a comment's text."""

    format: LogFormat = Field(LogFormat.AUTO, description="auto, json or console")
    level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error")
